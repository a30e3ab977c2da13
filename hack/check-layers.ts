// Enforces which room of src/ may import which (ARCHITECTURE.md, section "Rooms").
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

const all = ['*'] as const

/** Room → rooms that it may import beside itself. A room that is not listed is refused. */
const mayImport: Record<string, readonly string[]> = {
  api: [],
  routing: ['api'],
  kube: ['api', 'observe'],
  sources: ['api', 'routing', 'kube'],
  certificates: ['api'],
  operator: ['api', 'routing', 'kube', 'certificates', 'observe'],
  webhook: ['api', 'routing', 'observe'],
  http1: [],
  http2: [],
  proxy: ['api', 'routing', 'http1', 'http2', 'observe'],
  observe: [],
  dashboard: ['api', 'routing', 'observe'],
  cli: all,
}

/** Packages that only some rooms may run; everywhere else `import type` at most. */
const packageRooms: Record<string, readonly string[]> = {
  '@kubernetes/client-node': ['kube'],
  'node-forge': ['certificates'],
  ajv: ['api'],
  pino: ['observe'],
  commander: ['cli'],
  undici: ['kube'],
  yaml: ['sources', 'cli'],
}

/** The pure rooms run no part of Node. */
const withoutNode = ['routing']

const importPattern = /^\s*(import|export)(\s+type)?\b(?:[^'"();]*?\bfrom)?\s*['"]([^'"]+)['"]/gm
const dynamicPattern = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g

const faults: string[] = []
const root = resolve('src')
for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !entry.name.endsWith('.ts')) continue
  const file = join(entry.parentPath, entry.name)
  const text = readFileSync(file, 'utf8')
  for (const match of text.matchAll(importPattern)) check(file, match[3] ?? '', match[2] !== undefined)
  for (const match of text.matchAll(dynamicPattern)) check(file, match[1] ?? '', false)
}

if (faults.length > 0) {
  console.error(faults.join('\n'))
  process.exit(1)
}
console.log('layers: every import is allowed')

function check(file: string, specifier: string, typeOnly: boolean): void {
  const room = relative(root, file).split('/')[0] ?? ''
  const allowed = mayImport[room]
  const where = relative(process.cwd(), file)
  if (allowed === undefined) {
    faults.push(`${where}: room "${room}" is not in hack/check-layers.ts`)
  } else if (specifier.startsWith('.')) {
    const target = relative(root, resolve(file, '..', specifier)).split('/')[0] ?? ''
    if (target === room || allowed === all || allowed.includes(target)) return
    // The dashboard shows what the proxy says, and runs none of it.
    if (room === 'dashboard' && target === 'proxy' && typeOnly) return
    faults.push(
      `${where}: room "${room}" may not import "${target}" (${specifier}); allowed: ${allowed.join(', ') || 'nothing'}`,
    )
  } else if (specifier.startsWith('node:')) {
    if (withoutNode.includes(room)) faults.push(`${where}: room "${room}" is pure and may not use ${specifier}`)
  } else if (!typeOnly) {
    const name = specifier.startsWith('@')
      ? specifier.split('/').slice(0, 2).join('/')
      : (specifier.split('/')[0] ?? '')
    const rooms = packageRooms[name]
    if (rooms === undefined) faults.push(`${where}: package "${name}" is not in hack/check-layers.ts`)
    else if (!rooms.includes(room)) faults.push(`${where}: package "${name}" is for ${rooms.join(', ')} only`)
  }
}
