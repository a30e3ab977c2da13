import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { IngressDeployment } from '../../src/api/ingressdeployment.ts'
import type { Change } from '../../src/routing/snapshot.ts'
import { FilesSource } from '../../src/sources/files.ts'
import type { FileProblem } from '../../src/sources/parse-manifests.ts'

const patience = { timeout: 10_000, interval: 5 }

let folder: string
let source: FilesSource
let batches: (readonly Change[])[]
let problems: readonly FileProblem[]
let deployments: readonly IngressDeployment[]
/** What the changes so far add up to: `Kind namespace/name` → object. */
let state: Map<string, Change['object']>

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingress-fleet-files-'))
  batches = []
  problems = []
  deployments = []
  state = new Map()
})

afterEach(async () => {
  await source.stop()
  rmSync(folder, { recursive: true })
})

function service(name: string, port = 80): string {
  return `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: shop}\nspec: {ports: [{port: ${port}}]}\n`
}

/** As careful programs write: whole, beside, then renamed into place. */
function replace(name: string, text: string): void {
  writeFileSync(join(folder, `.${name}.new`), text)
  renameSync(join(folder, `.${name}.new`), join(folder, name))
}

async function follow(): Promise<void> {
  source = new FilesSource({
    folder,
    onIngressDeployments: all => {
      deployments = all
    },
    onProblems: all => {
      problems = all
    },
  })
  source.start(changes => {
    batches.push(changes)
    for (const { kind, namespace, name, object } of changes) {
      if (object === undefined) state.delete(`${kind} ${namespace}/${name}`)
      else state.set(`${kind} ${namespace}/${name}`, object)
    }
  })
  await source.synced()
}

function portOf(name: string): number | undefined {
  const object = state.get(`Service shop/${name}`)
  return object?.kind === 'Service' ? object.spec?.ports?.[0]?.port : undefined
}

describe('FilesSource', () => {
  test('gives everything there is at the start, folders in the folder included', async () => {
    writeFileSync(join(folder, 'a.yaml'), `${service('a')}---\n${service('b')}`)
    mkdirSync(join(folder, 'more/deep'), { recursive: true })
    writeFileSync(join(folder, 'more/deep/c.yml'), service('c'))
    writeFileSync(join(folder, 'notes.txt'), service('no'))
    writeFileSync(join(folder, '.hidden.yaml'), service('no'))
    await follow()
    expect([...state.keys()].sort()).toEqual(['Service shop/a', 'Service shop/b', 'Service shop/c'])
    expect(batches).toHaveLength(1)
  })

  test('gives only the object that changed when its file is renamed into place', async () => {
    replace('all.yaml', `${service('a')}---\n${service('b')}`)
    await follow()
    replace('all.yaml', `${service('a')}---\n${service('b', 81)}`)
    await vi.waitFor(() => expect(portOf('b')).toBe(81), patience)
    expect(batches.slice(1).flat()).toEqual([
      expect.objectContaining({ kind: 'Service', namespace: 'shop', name: 'b' }),
    ])
  })

  test('gives nothing when a change makes no difference to any object', async () => {
    replace('a.yaml', service('a'))
    replace('b.yaml', service('b'))
    await follow()
    replace('a.yaml', `# a comment\n${service('a')}`)
    replace('b.yaml', service('b', 81))
    await vi.waitFor(() => expect(portOf('b')).toBe(81), patience)
    expect(
      batches
        .slice(1)
        .flat()
        .map(({ name }) => name),
    ).toEqual(['b'])
  })

  test('follows files that are written in place, come and go', async () => {
    writeFileSync(join(folder, 'a.yaml'), service('a'))
    await follow()
    writeFileSync(join(folder, 'a.yaml'), service('a', 90))
    await vi.waitFor(() => expect(portOf('a')).toBe(90), patience)
    writeFileSync(
      join(folder, 'b.json'),
      JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'b', namespace: 'shop' } }),
    )
    await vi.waitFor(() => expect(state.has('Service shop/b')).toBe(true), patience)
    unlinkSync(join(folder, 'a.yaml'))
    await vi.waitFor(() => expect([...state.keys()]).toEqual(['Service shop/b']), patience)
  })

  test('follows folders that come with files in them, and go', async () => {
    await follow()
    mkdirSync(join(folder, '.new/inner'), { recursive: true })
    writeFileSync(join(folder, '.new/inner/a.yaml'), service('a'))
    renameSync(join(folder, '.new'), join(folder, 'app'))
    await vi.waitFor(() => expect(portOf('a')).toBe(80), patience)
    replaceIn('app/inner/a.yaml', service('a', 99))
    await vi.waitFor(() => expect(portOf('a')).toBe(99), patience)
    rmSync(join(folder, 'app'), { recursive: true })
    await vi.waitFor(() => expect(state.size).toBe(0), patience)
  })

  test('follows the swap of ..data in a mounted ConfigMap as one step', async () => {
    volume('..v1', service('a'), service('b'))
    symlinkSync('..v1', join(folder, '..data'))
    for (const name of ['a.yaml', 'b.yaml']) symlinkSync(`..data/${name}`, join(folder, name))
    await follow()
    volume('..v2', service('a', 2), service('b', 2))
    symlinkSync('..v2', join(folder, '..data_tmp'))
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
    await vi.waitFor(() => expect([portOf('a'), portOf('b')]).toEqual([2, 2]), patience)
    expect(batches).toHaveLength(2)
  })

  test('keeps what a file held last while it is broken, and names file, line and column', async () => {
    replace('a.yaml', service('a'))
    await follow()
    replace('a.yaml', `${service('a', 81)}---\n${service('b')}  spec: [\n`)
    await vi.waitFor(() => expect(problems).toHaveLength(1), patience)
    expect(problems[0]).toMatchObject({
      file: 'a.yaml',
      line: expect.any(Number) as unknown,
      message: expect.stringContaining('not valid YAML') as unknown,
    })
    expect(problems[0]?.line).toBeGreaterThanOrEqual(9)
    expect(portOf('a')).toBe(80)
    replace('a.yaml', service('a', 82))
    await vi.waitFor(() => expect(portOf('a')).toBe(82), patience)
    expect(problems).toEqual([])
  })

  test('uses the first of two files with one object, says where both are, and takes the other when the first goes', async () => {
    replace('a.yaml', service('x', 1))
    replace('b.yaml', `# comment\n${service('x', 2)}`)
    await follow()
    expect(portOf('x')).toBe(1)
    expect(problems).toEqual([
      {
        file: 'b.yaml',
        line: 2,
        column: 1,
        message: 'Service shop/x is in a.yaml:1 already, which is the one used; remove one of them',
      },
    ])
    unlinkSync(join(folder, 'a.yaml'))
    await vi.waitFor(() => expect(portOf('x')).toBe(2), patience)
    expect(problems).toEqual([])
  })

  test('orders objects without a time of creation by file and position, and later ones after them', async () => {
    replace('b.yaml', `${service('b1')}---\n${service('b2')}`)
    replace('c.yaml', service('c'))
    await follow()
    replace('a.yaml', service('a'))
    await vi.waitFor(() => expect(state.size).toBe(4), patience)
    const byAge = [...state.values()].sort((one, other) => {
      const [first = '', second = ''] = [one?.metadata.creationTimestamp, other?.metadata.creationTimestamp]
      return first < second ? -1 : 1
    })
    expect(byAge.map(object => object?.metadata.name)).toEqual(['b1', 'b2', 'c', 'a'])
  })

  test('gives IngressDeployments apart from routing, and as written', async () => {
    replace(
      'igd.yaml',
      'apiVersion: ingressfleet.dev/v1alpha1\nkind: IngressDeployment\nmetadata: {name: shop}\nspec: {}\n',
    )
    await follow()
    expect(deployments.map(({ metadata, spec }) => [metadata.namespace, metadata.name, spec])).toEqual([
      ['default', 'shop', {}],
    ])
    expect(batches).toEqual([])
    unlinkSync(join(folder, 'igd.yaml'))
    await vi.waitFor(() => expect(deployments).toEqual([]), patience)
  })

  test('says in synced why a folder cannot be read', async () => {
    const missing = join(folder, 'missing')
    source = new FilesSource({ folder: missing, onIngressDeployments: () => {}, onProblems: () => {} })
    source.start(() => {})
    await expect(source.synced()).rejects.toThrow(`reading the folder ${missing}: ENOENT`)
  })

  test('gives nothing after stop', async () => {
    replace('a.yaml', service('a'))
    await follow()
    replace('a.yaml', service('a', 81))
    await source.stop()
    const watcher = new FilesSource({ folder, onIngressDeployments: () => {}, onProblems: () => {} })
    const seen: Change[] = []
    watcher.start(changes => seen.push(...changes))
    replace('a.yaml', service('a', 82))
    await vi.waitFor(() => expect(seen).toHaveLength(2), patience)
    await watcher.stop()
    expect(batches).toHaveLength(1)
  })
})

function replaceIn(path: string, text: string): void {
  writeFileSync(join(folder, `${path}.tmp`), text)
  renameSync(join(folder, `${path}.tmp`), join(folder, path))
}

function volume(name: string, a: string, b: string): void {
  mkdirSync(join(folder, name))
  writeFileSync(join(folder, name, 'a.yaml'), a)
  writeFileSync(join(folder, name, 'b.yaml'), b)
}
