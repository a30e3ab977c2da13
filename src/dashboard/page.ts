/** The dashboard: one page without any request but that for `/api/table`. Texts are set as text, never as markup. */
export const dashboardPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:">
<link rel="icon" href="data:,">
<title>ingress-fleet</title>
<style>
:root { color-scheme: light dark; --line: light-dark(#d8dce2, #3a3f47); --faint: light-dark(#5b6470, #9aa4b1); --good: light-dark(#12703a, #5fd08a); --bad: light-dark(#a8231a, #ff8a7d); --panel: light-dark(#f6f7f9, #1f2329); }
body { margin: 0 auto; max-width: 70rem; padding: 1.5rem; font: 15px/1.5 system-ui, sans-serif; background: light-dark(#fff, #16191d); color: light-dark(#1a1e24, #e4e8ee); }
h1 { font-size: 1.25rem; margin: 0; } h2 { font-size: 1rem; margin: 1.75rem 0 .5rem; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: baseline; }
header span, .faint { color: var(--faint); }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-top: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
th { font-weight: 600; color: var(--faint); border-top: 0; font-size: .85rem; }
code { font: 13px/1.5 ui-monospace, monospace; } .bad { color: var(--bad); } .good { color: var(--good); }
.endpoint { display: inline-block; padding: 0 .45rem; margin: 0 .25rem .25rem 0; border: 1px solid var(--line); border-radius: .25rem; background: var(--panel); }
#lost { display: none; }
</style>
<header><h1>ingress-fleet</h1><span id="instance"></span><span id="class"></span><span id="revision"></span><span id="lost" class="bad" role="status">no connection to the proxy</span></header>
<section id="problems" aria-live="polite"></section>
<section id="hosts"></section>
<section id="backends"></section>
<script>
const refreshMs = 1000
const byId = id => document.getElementById(id)
function element(name, text, className) {
  const made = document.createElement(name)
  if (text !== undefined) made.textContent = text
  if (className) made.className = className
  return made
}
function row(cells, name = 'td') {
  const tr = element('tr')
  for (const cell of cells) {
    const td = element(name)
    td.append(...(Array.isArray(cell) ? cell : [cell]))
    tr.append(td)
  }
  return tr
}
function section(id, title, head, rows) {
  const table = element('table')
  table.append(row(head, 'th'), ...rows)
  byId(id).replaceChildren(element('h2', title), table)
}
function endpoints(backend) {
  if (!backend || backend.endpoints.length === 0) return element('span', 'none: 503', 'bad')
  return backend.endpoints.map(text => { const made = element('code', text, 'endpoint'); return made })
}
function show(table) {
  byId('instance').textContent = table.instance ? 'instance ' + table.instance : ''
  byId('class').textContent = 'class ' + table.ingressClass
  byId('revision').textContent = 'revision ' + table.servedRevision + (table.servedRevision === table.revision ? ', served' : ', ' + table.revision + ' on its way')
  const backends = new Map(table.backends.map(backend => [backend.id, backend]))
  const routes = table.hosts.flatMap(host => host.routes.map((route, index) => row([
    index > 0 ? '' : [element('strong', host.name || '(any other host)'), document.createElement('br'), element('span', host.tls ? 'TLS: ' + (host.certificate || 'default certificate') : 'HTTP', 'faint')],
    [element('code', route.path), ' ', element('span', route.match, 'faint')],
    route.refusal ? element('span', route.refusal, 'bad') : element('code', route.backend || ''),
    route.refusal ? '' : endpoints(backends.get(route.backend)),
    element('span', route.ingress, 'faint'),
  ])))
  section('hosts', 'Hosts and routes', ['Host', 'Path', 'Backend', 'Endpoints', 'Ingress'], routes)
  section('backends', 'Backends', ['Backend', 'Endpoints'], table.backends.map(backend => row([element('code', backend.id), endpoints(backend)])))
  if (table.problems.length === 0) byId('problems').replaceChildren(element('p', 'No problems.', 'good'))
  else section('problems', 'Problems', ['Where', 'Field', 'Reason', 'What to do'], table.problems.map(one => row([one.where, element('code', one.field), element('span', one.reason, 'bad'), one.message])))
}
let shown = ''
async function refresh() {
  try {
    const text = await (await fetch('/api/table', { cache: 'no-store' })).text()
    byId('lost').style.display = 'none'
    if (text !== shown) show(JSON.parse(text))
    shown = text
  } catch {
    byId('lost').style.display = 'inline'
  }
  setTimeout(refresh, refreshMs)
}
refresh()
</script>
</html>
`
