import { join } from 'node:path'
import { build, type Metafile } from 'esbuild'
import { beforeAll, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const commands = ['operator', 'proxy', 'serve', 'plan', 'igd', 'dbg'] as const

let metafile: Metafile

beforeAll(async () => {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [...commands.map(name => `src/cli/commands/${name}.ts`), 'src/cli/main.ts'],
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    outdir: 'dist',
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  metafile = result.metafile
})

/** Packages that are loaded at once with a file, not only when something of them is needed. */
function packagesOf(entryPoint: string): ReadonlySet<string> {
  const seen = new Set<string>()
  const visit = (output: string): void => {
    if (seen.has(output)) return
    seen.add(output)
    for (const { path, kind } of metafile.outputs[output]?.imports ?? []) if (kind === 'import-statement') visit(path)
  }
  const start = Object.entries(metafile.outputs).find(([, output]) => output.entryPoint === entryPoint)
  if (start === undefined) throw new Error(`${entryPoint} is no entry point`)
  visit(start[0])
  const inputs = [...seen].flatMap(output => Object.keys(metafile.outputs[output]?.inputs ?? {}))
  return new Set(inputs.map(input => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? ''))
}

describe('a command loads only what it needs', () => {
  test.each(['proxy', 'serve'])('%s holds neither the client of Kubernetes nor what only the operator needs', name => {
    const packages = packagesOf(`src/cli/commands/${name}.ts`)
    expect(packages).toContain('pino')
    for (const absent of ['@kubernetes/client-node', 'node-forge', 'ajv']) expect(packages).not.toContain(absent)
  })

  test('serve holds no HTTP client of the API server', () => {
    expect(packagesOf('src/cli/commands/serve.ts')).not.toContain('undici')
  })

  test('the command line itself holds commander alone', () => {
    expect([...packagesOf('src/cli/main.ts')].filter(name => name !== '')).toEqual(['commander'])
  })
})
