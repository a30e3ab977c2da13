// The main job without a cluster: sample apps and the real proxy as local processes, on a copy of config/samples/shop.
// `make demo` stays until Ctrl-C and lets one endpoint come and go; `make demo ONCE=1` sends the requests itself.
import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingHttpHeaders, type RequestOptions, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parse } from 'yaml'

const root = join(import.meta.dirname, '..')
const program = join(root, 'dist/ingress-fleet.js')
const sample = join(root, 'config/samples/shop')
const once = !['', '0'].includes(process.env['ONCE'] ?? '')
const readyLimitMs = 10_000
const toggleMs = 5000
const workers = 2
const appOfPort = { 9001: 'web', 9002: 'cart-1', 9003: 'cart-2', 9004: 'help' } as const

interface Addresses {
  readonly http: URL
  readonly https: URL
  readonly dashboard: URL
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

const folder = mkdtempSync(join(tmpdir(), 'ingress-fleet-demo-'))
const children: ChildProcess[] = []
const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort())
try {
  await demo()
} catch (error) {
  if (!interrupted.signal.aborted) {
    console.error(`demo failed: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  }
} finally {
  await Promise.all(children.map(end))
  rmSync(folder, { recursive: true })
}

async function demo(): Promise<void> {
  if (!existsSync(program)) run('building', ['hack/build.ts'])
  console.log('\nThe objects that the operator would apply for config/samples/shop/ingressdeployment.yaml:\n')
  console.log(run('planning', [program, 'plan', '-f', 'config/samples/shop/ingressdeployment.yaml']))
  const ports = await startApps()
  writeFolder(ports)
  const addresses = await startServe()
  await ready(addresses.dashboard)
  if (once) await sendRequests(addresses)
  else await stay(addresses)
}

function run(what: string, args: readonly string[]): string {
  const result = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  if (result.status === 0) return result.stdout
  throw new Error(`${what}: ${result.error?.message ?? result.stderr}`)
}

async function startApps(): Promise<Readonly<Record<string, number>>> {
  const apps = fork(join(root, 'hack/demo-backend.ts'), Object.values(appOfPort), { stdio: 'inherit' })
  children.push(apps)
  return new Promise((resolve, reject) => {
    apps.once('message', message => resolve(message as Record<string, number>))
    apps.once('exit', code => reject(new Error(`the sample apps ended with code ${code}`)))
  })
}

/** A copy with the ports of the apps, without the endpoint that comes later; two demos can run beside each other. */
function writeFolder(ports: Readonly<Record<string, number>>): void {
  cpSync(sample, folder, { recursive: true })
  for (const name of ['endpointslices.yaml', 'endpointslice-cart-2.yaml']) {
    let text = readFileSync(join(folder, name), 'utf8')
    for (const [port, app] of Object.entries(appOfPort)) text = text.replace(`port: ${port}`, `port: ${ports[app]}`)
    writeFileSync(join(folder, name), text)
  }
  const secret = parse(readFileSync(join(folder, 'secret-shop-tls.yaml'), 'utf8')) as {
    stringData: Record<string, string>
  }
  writeFileSync(join(folder, 'shop.crt'), secret.stringData['tls.crt'] ?? '')
  setCart2(false)
}

/** Rewrites the EndpointSlice as a careful program does: whole, beside, then renamed over it. */
function setCart2(present: boolean): void {
  const file = join(folder, 'endpointslice-cart-2.yaml')
  const [head = ''] = readFileSync(file, 'utf8').split('endpoints:')
  const endpoints = present ? '\n  - addresses: [127.0.0.1]\n    conditions: {ready: true}' : ' []'
  writeFileSync(`${file}.new`, `${head}endpoints:${endpoints}\n`)
  renameSync(`${file}.new`, file)
}

async function startServe(): Promise<Addresses> {
  const ports = ['--http-port', '0', '--https-port', '0', '--admin-port', '0']
  const serve = fork(program, ['serve', '-f', folder, '--workers', String(workers), ...ports], { silent: true })
  children.push(serve)
  let output = ''
  let log = ''
  serve.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log = `${log}${text}`.slice(-20_000)
    if (!once) showLog(text)
  })
  return new Promise((resolve, reject) => {
    serve.once('exit', code => reject(new Error(`the proxy ended with code ${code}: ${log}`)))
    serve.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output = `${output}${text}`.slice(-20_000)
      const find = (name: string): string | undefined => new RegExp(`^${name} +(\\S+)$`, 'm').exec(output)?.[1]
      const [http, https, dashboard] = [find('HTTP'), find('HTTPS'), find('dashboard')]
      if (!http || !https || !dashboard) return
      resolve({ http: new URL(http), https: new URL(https), dashboard: new URL(dashboard) })
    })
  })
}

function showLog(text: string): void {
  for (const line of text.split('\n').filter(one => one.startsWith('{'))) {
    const { msg, level: _level, time: _time, ...fields } = JSON.parse(line) as Record<string, unknown>
    console.log(`  proxy: ${String(msg)} ${JSON.stringify(fields)}`)
  }
}

async function ready(dashboard: URL): Promise<void> {
  const deadline = performance.now() + readyLimitMs
  for (;;) {
    const { status } = await ask(new URL('/readyz', dashboard))
    if (status === 200) return
    if (performance.now() > deadline) throw new Error(`the proxy was not ready within ${readyLimitMs} ms`)
    await pause(50, undefined, { signal: interrupted.signal })
  }
}

/** One request on a connection of its own. `host` is the Host field and, with TLS, the server name. */
async function ask(url: URL, host = url.host): Promise<Answer> {
  const options: RequestOptions & { servername?: string; ca?: string } = {
    agent: false,
    headers: { host },
    timeout: 5000,
  }
  if (url.protocol === 'https:') {
    options.servername = host
    options.ca = readFileSync(join(folder, 'shop.crt'), 'utf8')
  }
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options, response => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
    request.on('timeout', () => request.destroy(new Error(`${url.href} did not answer`)))
    request.on('error', reject)
    request.end()
  })
}

async function stay({ http, https, dashboard }: Addresses): Promise<void> {
  const curl = (scheme: URL, host: string, path: string): string => {
    const tls = scheme === https ? `--cacert ${join(folder, 'shop.crt')} ` : ''
    return `curl ${tls}--resolve ${host}:${scheme.port}:127.0.0.1 ${scheme.protocol}//${host}:${scheme.port}${path}`
  }
  console.log(`The proxy runs on a copy of the sample in ${folder}: change it and see. Try:

  ${curl(https, 'shop.example.com', '/')}
  ${curl(https, 'shop.example.com', '/cart')}
  ${curl(http, 'help.example.com', '/')}
  ${curl(http, 'shop.example.com', '/')} -i
  curl -i http://127.0.0.1:${http.port}/nobody

Dashboard: ${dashboard.href}
Every ${toggleMs / 1000} s the endpoint cart-2 comes or goes. Ctrl-C ends it all.
`)
  for (let present = true; !interrupted.signal.aborted; present = !present) {
    await pause(toggleMs, undefined, { signal: interrupted.signal })
    console.log(present ? 'endpoint cart-2 comes' : 'endpoint cart-2 goes')
    setCart2(present)
  }
}

async function sendRequests({ http, https, dashboard }: Addresses): Promise<void> {
  const shop = 'shop.example.com'
  await expectAnswer(new URL('/', https), shop, { status: 200, body: /^web answers/ })
  await expectAnswer(new URL('/cart', https), shop, { status: 200, body: /^cart-1 answers/ })
  await expectAnswer(new URL('/cart/items?page=2', https), shop, {
    status: 200,
    body: /^cart-1 answers GET \/cart\/items\?page=2 /,
  })
  await expectAnswer(new URL('/cartoon', https), shop, { status: 200, body: /^web answers/ })
  await expectAnswer(new URL('/', http), 'help.example.com', { status: 200, body: /^help answers/ })
  await expectAnswer(new URL('/cart', http), shop, {
    status: 308,
    location: /^https:\/\/shop\.example\.com(:\d+)?\/cart$/,
  })
  await expectAnswer(new URL('/', http), 'nobody.example.com', { status: 404 })
  setCart2(true)
  console.log('endpoint cart-2 comes: its EndpointSlice was rewritten')
  await endpointsOfCart(dashboard, 2)
  const both = await answersOfCart(https)
  // Each worker takes the endpoints in turn.
  const difference = Math.abs((both.get('cart-2') ?? 0) - (both.get('cart-1') ?? 0))
  if (both.size !== 2 || difference > workers) throw new Error(`not in turn: ${tally(both)}`)
  console.log(`ok    20 requests to https://${shop}/cart: ${tally(both)}`)
  setCart2(false)
  console.log('endpoint cart-2 goes: its EndpointSlice was rewritten')
  await endpointsOfCart(dashboard, 1)
  const one = await answersOfCart(https)
  if (one.get('cart-1') !== 20) throw new Error(`an endpoint that is gone was used: ${tally(one)}`)
  console.log(`ok    20 requests to https://${shop}/cart: ${tally(one)}`)
  console.log('demo: all is right')
}

async function expectAnswer(
  url: URL,
  host: string,
  expected: { readonly status: number; readonly body?: RegExp; readonly location?: RegExp },
): Promise<void> {
  const answer = await ask(url, host)
  const location = answer.headers.location ?? ''
  const came = `${answer.status} ${location || answer.body.trim().split('\n')[0]}`
  const right =
    answer.status === expected.status &&
    (expected.body === undefined || expected.body.test(answer.body)) &&
    (expected.location === undefined || expected.location.test(location))
  console.log(`${right ? 'ok   ' : 'WRONG'} GET ${url.protocol}//${host}${url.pathname}${url.search}: ${came}`)
  if (!right) throw new Error(`expected ${expected.status} ${String(expected.body ?? expected.location ?? '')}`)
}

/** Waits until every worker serves so many endpoints of the cart. */
async function endpointsOfCart(dashboard: URL, count: number): Promise<void> {
  const deadline = performance.now() + readyLimitMs
  for (;;) {
    const { body } = await ask(new URL('/api/table', dashboard))
    const table = JSON.parse(body) as {
      revision: number
      servedRevision: number
      backends: { id: string; endpoints: string[] }[]
    }
    const cart = table.backends.find(({ id }) => id === 'shop/cart/http')
    if (cart?.endpoints.length === count && table.servedRevision === table.revision) return
    if (performance.now() > deadline) throw new Error(`the cart did not get ${count} endpoints: ${body}`)
    await pause(10)
  }
}

async function answersOfCart(https: URL): Promise<ReadonlyMap<string, number>> {
  const answers = new Map<string, number>()
  for (let index = 0; index < 20; index++) {
    const { body } = await ask(new URL('/cart', https), 'shop.example.com')
    const [app = ''] = body.split(' ')
    answers.set(app, (answers.get(app) ?? 0) + 1)
  }
  return answers
}

function tally(answers: ReadonlyMap<string, number>): string {
  return [...answers].map(([app, count]) => `${count} by ${app}`).join(', ')
}

/** Asks a child to end by closing the channel to it, and makes sure. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise(resolve => {
    child.once('exit', resolve)
  })
  if (child.connected) child.disconnect()
  const killer = setTimeout(() => child.kill('SIGKILL'), 12_000)
  await exited
  clearTimeout(killer)
}
