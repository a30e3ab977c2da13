// Adds to package-lock.json the builds for other platforms that the registry in use does not have.
// npm leaves an optional dependency out of the lockfile when it can't be looked up, and `npm ci` then refuses the
// lockfile as incomplete (npm/cli#4828). A build for another platform is never installed, so its name, version and
// platform are enough. Run it after every `npm install`; it changes nothing when nothing is missing. `--check` fails then.
import { readFileSync, writeFileSync } from 'node:fs'

interface Package {
  version?: string
  optional?: boolean
  dev?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}

const systems = ['android', 'aix', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64', 'wasm32']

const file = 'package-lock.json'
const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, Package> }
const added: string[] = []
for (const [path, parent] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    if (isLocked(path, name)) continue
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(parent.dev ? { dev: true } : {}),
      optional: true,
      ...platform(name),
    }
    added.push(`${name}@${version}`)
  }
}
if (added.length > 0 && process.argv.includes('--check')) {
  console.error(`missing in ${file}: ${added.join(', ')} - run \`node hack/complete-lockfile.ts\``)
  process.exit(1)
}
if (added.length > 0) {
  const sorted = Object.entries(lock.packages).sort(([one], [other]) => (one < other ? -1 : 1))
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`)
}
console.log(added.length > 0 ? `added ${added.join(', ')}` : 'the lockfile is complete')

/** npm looks for a dependency in the node_modules of its parent and of all folders above. */
function isLocked(path: string, name: string): boolean {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    if (lock.packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`]) return true
    if (folder === '' || !folder.includes('/node_modules/')) return lock.packages[`node_modules/${name}`] !== undefined
  }
}

function platform(name: string): Pick<Package, 'os' | 'cpu' | 'libc'> {
  const words = name.split(/[-/]/)
  const os = systems.find(system => words.includes(system))
  const cpu = processors.find(processor => words.includes(processor))
  const isFree = os === undefined && cpu !== 'wasm32'
  if (isFree) throw new Error(`${name}: its name says no platform; it would be installed everywhere`)
  return {
    ...(os ? { os: [os] } : {}),
    ...(cpu ? { cpu: [cpu] } : {}),
    ...(words.some(word => word.startsWith('musl')) ? { libc: ['musl'] } : {}),
  }
}
