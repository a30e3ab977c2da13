// One life of the translator is told in one place: its law, and what a change costs; hence longer than the guide.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Ingress } from '../../src/api/kubernetes.ts'
import type { Change, SourceObject } from '../../src/routing/snapshot.ts'
import type { RoutingTable } from '../../src/routing/table.ts'
import { createTranslator, type Translation } from '../../src/routing/translator.ts'
import {
  backendOf,
  bench,
  drop,
  ingress,
  options,
  path,
  put,
  ready,
  rule,
  secretWith,
  service,
  slice,
  terminating,
  tlsSecret,
} from './objects.ts'

const byName = <T>(name: (item: T) => string, items: readonly T[]): T[] =>
  [...items].sort((one, other) => (name(one) < name(other) ? -1 : 1))

/** All that a table has, in an order of its own. */
function contents(table: RoutingTable): unknown {
  return {
    hosts: byName(({ name }) => name, table.hosts()),
    backends: byName(({ id }) => id, table.backends()),
    certificates: byName(({ id }) => id, table.certificates()),
    counts: table.counts,
    settings: table.settings,
  }
}

// Few names, so that objects collide: hosts, paths, timestamps, Services and Secrets are shared.
const host = fc.constantFrom(undefined, 'a.example', 'b.example', '*.example', 'A.Example.', 'bad host')
const pathOf = fc.record({
  path: fc.constantFrom('/', '/a', '/a/', '/a/b', '', 'bad'),
  pathType: fc.constantFrom('Exact' as const, 'Prefix' as const, 'ImplementationSpecific' as const),
  backend: fc
    .tuple(fc.constantFrom('s1', 's2', 's3'), fc.constantFrom(80, 81, 'http'))
    .map(([name, port]) => backendOf(name, port)),
})
const anyRule = fc.tuple(host, fc.array(pathOf, { maxLength: 3 })).map(([name, paths]) => rule(name, ...paths))
const tlsEntry = fc.record({
  hosts: fc.constantFrom<string[]>([], ['a.example'], ['*.example'], ['a.example', 'b.example']),
  secretName: fc.constantFrom('t1', 't2', 't3', ''),
})
const annotation = fc.constantFrom<Record<string, string>>(
  {},
  {},
  { 'ssl-redirect': 'false' },
  { 'force-ssl-redirect': 'true' },
  { 'auth-url': 'x' },
  { canary: 'true' },
  { 'allowlist-source-range': '10.0.0.0/8' },
  { 'proxy-read-timeout': 'x' },
  { 'auth-tls-secret': 'shop/t1' },
  { 'auth-tls-secret': 'shop/t3' },
  { 'auth-tls-secret': 'shop/t1', 'auth-tls-verify-client': 'optional' },
)
const anyIngress: fc.Arbitrary<Ingress> = fc
  .record({
    name: fc.constantFrom('i1', 'i2', 'i3', 'i4'),
    created: fc.nat(2),
    annotations: annotation,
    ingressClassName: fc.constantFrom('public', 'public', 'public', 'other', ''),
    rules: fc.array(anyRule, { maxLength: 3 }),
    tls: fc.array(tlsEntry, { maxLength: 2 }),
    withDefault: fc.boolean(),
  })
  .map(({ withDefault, ...draft }) => ingress(withDefault ? { ...draft, defaultBackend: backendOf('s1') } : draft))

const port = fc.constantFrom(
  { port: 80 },
  { port: 80, name: 'http' },
  { port: 81, name: 'admin' },
  { port: 80, protocol: 'UDP' },
)
const anyService = fc
  .tuple(
    fc.constantFrom('s1', 's2', 's3'),
    fc.array(port, { maxLength: 2 }),
    fc.constantFrom(undefined, undefined, 'api.example', 'localhost'),
  )
  .map(([name, ports, externalName]) =>
    service(name, ports, externalName === undefined ? {} : { type: 'ExternalName', externalName }),
  )

const endpoint = fc
  .tuple(fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3', '127.0.0.1'), fc.constantFrom(ready, terminating))
  .map(([address, state]) => state(address))
const anySlice = fc
  .tuple(
    fc.constantFrom('e1', 'e2', 'e3'),
    fc.constantFrom('s1', 's2'),
    fc.array(endpoint, { maxLength: 3 }),
    fc.constantFrom('', 'http'),
  )
  .map(([name, of, endpoints, portName]) => slice(of, endpoints, { name, ports: [{ name: portName, port: 8080 }] }))

// A Secret is good or missing: what a broken update leaves behind depends on the past, and has tests of its own.
const anySecret = fc
  .tuple(
    fc.constantFrom('t1', 't2'),
    fc.constantFrom('a.example', '*.example', 'c.example', 'a.example expired'),
    fc.integer({ min: 1, max: 3 }),
  )
  .map(([name, hosts, serial]) => {
    const secret = tlsSecret(name, hosts, serial)
    return serial === 1 ? secret : { ...secret, data: { ...secret.data, 'ca.crt': btoa(`authorities ${serial}`) } }
  })

const anyClass = fc.boolean().map(
  (isDefault): SourceObject => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'public', annotations: { 'ingressclass.kubernetes.io/is-default-class': String(isDefault) } },
  }),
)

const anyObject: fc.Arbitrary<SourceObject> = fc.oneof(
  { weight: 4, arbitrary: anyIngress },
  { weight: 2, arbitrary: anyService },
  { weight: 3, arbitrary: anySlice },
  { weight: 2, arbitrary: anySecret },
  { weight: 1, arbitrary: anyClass },
)
const anyChange: fc.Arbitrary<Change> = fc
  .tuple(anyObject, fc.integer({ min: 0, max: 9 }))
  .map(
    ([object, dice]) =>
      (dice < 3 ? drop(object) : put(object))[0] ?? { kind: object.kind, namespace: '', name: '', object },
  )
const batches = fc.array(fc.array(anyChange, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 25 })

const identity = ({ kind, namespace, name }: Change): string => `${kind}/${namespace}/${name}`

function finalChanges(all: readonly (readonly Change[])[]): readonly Change[] {
  const last = new Map(all.flat().map(change => [identity(change), change]))
  return [...last.values()].filter(({ object }) => object !== undefined)
}

describe('incremental translation', () => {
  test('any sequence of changes ends equal to a translation of the final objects in any order', () => {
    const property = fc.property(batches, fc.infiniteStream(fc.nat()), (sequence, randoms) => {
      const incremental = bench([], { classes: 'objects' })
      for (const changes of sequence) incremental.apply(changes)
      const shuffled = finalChanges(sequence)
        .map(change => [randoms.next().value ?? 0, change] as const)
        .sort(([one], [other]) => one - other)
        .map(([, change]) => change)
      const whole = bench([], { classes: 'objects' })
      whole.apply(shuffled)
      expect(contents(incremental.table)).toEqual(contents(whole.table))
      expect(incremental.translator.problems()).toEqual(whole.translator.problems())
      expect(incremental.translator.references()).toEqual(whole.translator.references())
      expect(incremental.translator.served()).toEqual(whole.translator.served())
      expect(incremental.translator.snapshotSize()).toBe(whole.translator.snapshotSize())
    })
    fc.assert(property, { numRuns: 500 })
  })

  test('changes that are staged one by one count as if they had come at once', () => {
    const property = fc.property(batches, batches, (before, sequence) => {
      const staged = bench([], { classes: 'objects' })
      const whole = bench([], { classes: 'objects' })
      for (const changes of before) for (const { apply } of [staged, whole]) apply(changes)
      for (const changes of sequence) staged.translator.stage(changes)
      expect(staged.apply([]).problems).toEqual(whole.apply(sequence.flat()).problems)
      expect(contents(staged.table)).toEqual(contents(whole.table))
      expect(staged.translator.problems()).toEqual(whole.translator.problems())
    })
    fc.assert(property, { numRuns: 300 })
  })

  test('options that are staged count with the next translation', () => {
    const shop = [ingress({ name: 'i', rules: [rule('a.example', path('/', 's1'))] }), service('s1')]
    const { apply, translator, table } = bench([])
    translator.stage(shop.flatMap(object => put(object)))
    translator.stageOptions({ namespaces: new Set(['elsewhere']) })
    apply([])
    expect(table.hosts()).toEqual([])
    translator.stageOptions({ namespaces: null })
    apply([])
    expect(table.hosts().map(({ name }) => name)).toEqual(['a.example'])
  })

  test('problems that were added less those that were resolved are the problems there are', () => {
    const property = fc.property(batches, sequence => {
      const { apply, translator } = bench([], { classes: 'objects' })
      const open = new Set<string>()
      for (const changes of sequence) {
        const { problems } = apply(changes)
        for (const problem of problems.resolved) expect(open.delete(JSON.stringify(problem))).toBe(true)
        for (const problem of problems.added) open.add(JSON.stringify(problem))
      }
      expect([...open].sort()).toEqual(
        translator
          .problems()
          .map(problem => JSON.stringify(problem))
          .sort(),
      )
    })
    fc.assert(property, { numRuns: 300 })
  })

  test('a delta holds only what differs, and saying the same again gives none', () => {
    const property = fc.property(batches, sequence => {
      const { translator, table } = bench([], { classes: 'objects' })
      for (const changes of sequence) {
        const { delta, changed } = translator.apply(changes)
        for (const [name, host] of delta?.hosts ?? [])
          expect(host).not.toEqual(table.hosts().find(known => known.name === name))
        for (const [id, backend] of delta?.backends ?? []) expect(backend).not.toEqual(table.backend(id))
        for (const [id, certificate] of delta?.certificates ?? [])
          expect(certificate).not.toEqual(table.certificate(id))
        expect(changed.length > 0).toBe(delta !== undefined)
        if (delta !== undefined) table.apply(delta)
        expect(translator.apply(structuredClone(changes)).delta).toBeUndefined()
      }
    })
    fc.assert(property, { numRuns: 300 })
  })

  test('every certificate that a host names is in the table, and no other', () => {
    const property = fc.property(batches, sequence => {
      const { apply, table } = bench([])
      for (const changes of sequence) {
        apply(changes)
        const wanted = new Set(table.hosts().flatMap(({ certificate }) => certificate ?? []))
        expect(new Set(table.certificates().map(({ id }) => id))).toEqual(wanted)
      }
    })
    fc.assert(property, { numRuns: 300 })
  })

  test('every backend that a route names is in the table', () => {
    const property = fc.property(batches, sequence => {
      const { apply, table } = bench([])
      for (const changes of sequence) apply(changes)
      const wanted = table
        .hosts()
        .flatMap(({ routes, defaultRoute }) => [...routes, ...(defaultRoute ? [defaultRoute] : [])])
      const ids = new Set(wanted.flatMap(({ backend }) => backend ?? []))
      for (const id of ids) expect(table.backend(id)).toBeDefined()
    })
    fc.assert(property, { numRuns: 300 })
  })
})

describe('what a change costs', () => {
  const ingresses = Array.from({ length: 200 }, (_, index) =>
    ingress({ name: `i${index}`, rules: [rule(`h${index}.example`, path('/', `s${index}`))] }),
  )
  const services = ingresses.map((_, index) => service(`s${index}`))
  const slices = ingresses.map((_, index) => slice(`s${index}`, [ready('10.0.0.1')]))
  const world = [...ingresses, ...services, ...slices]
  const sizes = ({ delta }: Translation): unknown =>
    delta && {
      hosts: [...delta.hosts.keys()],
      backends: [...delta.backends.keys()],
      certificates: delta.certificates.size,
      settings: delta.settings,
    }

  test('an endpoint that changes gives one backend and no host', () => {
    const { apply } = bench(world)
    const translation = apply(put(slice('s7', [ready('10.0.0.1'), ready('10.0.0.2')])))
    expect(sizes(translation)).toEqual({ hosts: [], backends: ['shop/s7/80'], certificates: 0, settings: undefined })
    expect(translation.changed).toEqual([{ kind: 'EndpointSlice', namespace: 'shop', name: 's7-1' }])
    expect(translation.problems).toEqual({ added: [], resolved: [] })
  })

  test('an Ingress that changes gives its host, and no other', () => {
    const { apply } = bench(world)
    const moved = ingress({
      name: 'i7',
      rules: [rule('h7.example', path('/x', 's7')), rule('new.example', path('/', 's7'))],
    })
    expect(sizes(apply(put(moved)))).toEqual({
      hosts: ['h7.example', 'new.example'],
      backends: [],
      certificates: 0,
      settings: undefined,
    })
  })

  test('a status or resource version that changes gives nothing', () => {
    const { apply } = bench(world)
    const [first = ingress({})] = ingresses
    const touched: Ingress = {
      ...structuredClone(first),
      metadata: { ...first.metadata, resourceVersion: '2', generation: 9 },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
    }
    expect(apply(put(touched))).toEqual({ delta: undefined, changed: [], problems: { added: [], resolved: [] } })
  })

  test('objects that nothing refers to give nothing', () => {
    const { apply } = bench(world)
    const strangers = [
      service('stranger'),
      slice('stranger', [ready('10.0.0.1')]),
      tlsSecret('stranger', 'a.example'),
      secretWith('x', {}),
    ]
    expect(apply(put(...strangers)).delta).toBeUndefined()
  })

  test('of several changes of one batch only those to blame are named', () => {
    const { apply } = bench(world)
    const { changed } = apply(
      put(slice('s1', [ready('10.0.0.9')]), slice('s2', [ready('10.0.0.1')]), service('stranger')),
    )
    expect(changed).toEqual([{ kind: 'EndpointSlice', namespace: 'shop', name: 's1-1' }])
  })

  test('settings that change give themselves alone', () => {
    const { reconfigure } = bench(world)
    const settings = { ...options.settings, tlsRedirect: false }
    expect(sizes(reconfigure({ settings }))).toEqual({ hosts: [], backends: [], certificates: 0, settings })
    expect(reconfigure({ settings: structuredClone(settings) }).delta).toBeUndefined()
  })

  test('an endpoint change reads no Ingress, however many there are', () => {
    const translator = createTranslator(options)
    let reads = 0
    const counted = ingresses.map(object => ({
      ...object,
      get spec() {
        reads += 1
        return object.spec
      },
    })) as Ingress[]
    translator.apply(put(...counted, ...services, ...slices))
    reads = 0
    translator.apply(put(slice('s7', [ready('10.0.0.2')])))
    expect(reads).toBe(0)
  })
})
