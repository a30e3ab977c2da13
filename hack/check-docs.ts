// Holds the hand-written documentation against what it speaks of: links, make targets, files of config/.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

const faults: string[] = []
const makefile = readFileSync('Makefile', 'utf8')
const targets = new Set([...makefile.matchAll(/^([a-z0-9-]+):/gm)].map(match => match[1]))

for (const file of pages()) {
  const text = readFileSync(file, 'utf8')
  for (const [, target = ''] of text.replaceAll(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^(https?|mailto):/.test(target)) continue
    checkLink(file, target)
  }
  for (const [, target = ''] of text.matchAll(/`make ([a-z0-9-]+)/g)) {
    if (!targets.has(target)) faults.push(`${file}: there is no \`make ${target}\``)
  }
  for (const [, path = ''] of text.matchAll(/(?:^|[\s`(])((?:config|hack|src|test|crds|docs)\/[\w./-]+)/gm)) {
    const clean = path.replace(/[.,]$/, '')
    if (!existsSync(clean) && !existsSync(`${clean}.ts`)) faults.push(`${file}: there is no ${clean}`)
  }
}
if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exit(1)
}
console.log('docs: links, make targets and paths exist')

function pages(): string[] {
  const docs = readdirSync('docs', { recursive: true, encoding: 'utf8' }).map(name => join('docs', name))
  return [...readdirSync('.'), ...docs].filter(name => name.endsWith('.md'))
}

function checkLink(file: string, target: string): void {
  const [path = '', anchor] = target.split('#')
  const linked = path === '' ? file : normalize(join(dirname(file), path))
  if (!existsSync(linked)) {
    faults.push(`${file}: link to ${target}, which does not exist`)
  } else if (anchor !== undefined && linked.endsWith('.md') && !anchors(linked).has(anchor)) {
    faults.push(`${file}: link to ${target}, but ${linked} has no such heading`)
  }
}

function anchors(file: string): Set<string> {
  const headings = readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)
  return new Set(
    [...headings].map(([, text = '']) =>
      text
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  )
}
