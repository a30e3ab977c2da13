// Bundles the program into dist/: `ingress-fleet.js` (the entry, then one chunk a command) and `worker.js`.
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, build, type Plugin } from 'esbuild'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')

const shared: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'esm',
  outdir: 'dist',
  target: 'node24',
  minifySyntax: true,
  legalComments: 'eof',
  charset: 'utf8',
  logLevel: 'warning',
  metafile: true,
}

/** Packages in CommonJS ask for Node's own modules by `require`, which a bundle in ESM has to bring. */
const withRequire = {
  js: "import { createRequire as createRequireOfNode } from 'node:module'\nconst require = createRequireOfNode(import.meta.url)",
}

/** The entry must parse on an old Node, so it is a file of its own and imports the program by name. */
const programByName: Plugin = {
  name: 'program-by-name',
  setup(context) {
    context.onResolve({ filter: /^\.\/main\.ts$/ }, () => ({ path: './program.js', external: true }))
  },
}

/**
 * The client of Kubernetes brings a class a kind of object, 15 MB of them, of which nothing is used: what is imported
 * of it is loaded by name, and its modules say that they do nothing by being loaded.
 */
const usedPartOfClient: Plugin = {
  name: 'used-part-of-client',
  setup(context) {
    const client = '@kubernetes/client-node'
    context.onResolve({ filter: /^@kubernetes\/client-node$/ }, ({ importer }) =>
      importer === '' || importer.includes('node_modules') ? undefined : { path: client, namespace: 'used-part' },
    )
    context.onLoad({ filter: /.*/, namespace: 'used-part' }, () => ({
      contents: `export { KubeConfig } from '${client}/dist/config.js'\nexport { Exec } from '${client}/dist/exec.js'\n`,
      resolveDir: root,
    }))
    context.onResolve({ filter: /^\./ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
      if (pluginData === client || !importer.includes(join(client, 'dist'))) return undefined
      const resolved = await context.resolve(path, { importer, resolveDir, kind, pluginData: client })
      return { ...resolved, sideEffects: false }
    })
  },
}

const results = await Promise.all([
  build({
    ...shared,
    target: 'node18',
    entryPoints: { 'ingress-fleet': 'src/cli/entry.ts' },
    plugins: [programByName],
  }),
  build({
    ...shared,
    entryPoints: { program: 'src/cli/main.ts' },
    splitting: true,
    chunkNames: 'program-[name]-[hash]',
    banner: withRequire,
    plugins: [usedPartOfClient],
  }),
  build({ ...shared, entryPoints: { worker: 'src/proxy/worker.ts' }, banner: withRequire }),
])
removeOthers(new Set(results.flatMap(({ metafile }) => Object.keys(metafile?.outputs ?? {}))))
chmodSync(join(dist, 'ingress-fleet.js'), 0o755)
refuseMachinePaths()
linkCommands(['ingress-fleet', 'kubectl-igd'])
console.log(`built ${readdirSync(dist).filter(name => name.endsWith('.js')).length} files in dist/`)

/** Chunks of earlier builds. They go last, so that who runs the program during a build still finds them; what is no chunk stays. */
function removeOthers(outputs: ReadonlySet<string>): void {
  for (const name of readdirSync(dist)) {
    if (name.endsWith('.js') && !outputs.has(`dist/${name}`)) rmSync(join(dist, name))
  }
}

/** A bundle says the same wherever it is built. */
function refuseMachinePaths(): void {
  for (const name of readdirSync(dist).filter(one => one.endsWith('.js'))) {
    if (readFileSync(join(dist, name), 'utf8').includes(root)) throw new Error(`dist/${name} holds the path ${root}`)
  }
}

/** npm links the commands of dependencies only; with these `npx ingress-fleet` finds the checkout's own. */
function linkCommands(names: readonly string[]): void {
  const folder = join(root, 'node_modules', '.bin')
  mkdirSync(folder, { recursive: true })
  for (const name of names) {
    rmSync(join(folder, name), { force: true })
    symlinkSync('../../dist/ingress-fleet.js', join(folder, name))
  }
}
