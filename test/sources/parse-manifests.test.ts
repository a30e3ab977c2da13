import { describe, expect, test } from 'vitest'
import { parseManifests } from '../../src/sources/parse-manifests.ts'

const service = (name: string): string => `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\n`

describe('parseManifests', () => {
  test('reads every document and says in which line each object begins', () => {
    const { manifests, problems } = parseManifests(
      `# first\n${service('a')}---\n${service('b')}--- # third\n${service('c')}`,
    )
    expect(problems).toEqual([])
    expect(manifests.map(({ object, line }) => [object.metadata.name, line])).toEqual([
      ['a', 2],
      ['b', 7],
      ['c', 12],
    ])
  })

  test('puts a namespaced object without namespace into default, and a cluster-scoped one into none', () => {
    const { manifests } = parseManifests(
      `${service('a')}---\napiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: c, namespace: x}\n`,
    )
    expect(manifests.map(({ object }) => object.metadata.namespace)).toEqual(['default', undefined])
  })

  test('folds stringData into data in base64, over a key that is there already', () => {
    const { manifests } = parseManifests(
      'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {a: b2xk, b: Yg==}\nstringData: {a: new}\n',
    )
    expect(manifests[0]?.object).toMatchObject({ data: { a: 'bmV3', b: 'Yg==' } })
    expect(manifests[0]?.object).not.toHaveProperty('stringData')
  })

  test('names line and column of broken YAML in a later document, and gives nothing of the file', () => {
    const { manifests, problems } = parseManifests(
      `${service('a')}---\n${service('b')}  labels: [x\n---\n${service('c')}`,
    )
    expect(manifests).toEqual([])
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatchObject({ message: expect.stringMatching(/^not valid YAML: /) as unknown })
    expect(problems[0]?.line).toBeGreaterThanOrEqual(10)
    expect(problems[0]?.line).toBeLessThanOrEqual(11)
  })

  test('names the field of a value of the wrong type, where it is', () => {
    const { problems } = parseManifests(`${service('a')}spec:\n  ports:\n    - name: http\n      port: eighty\n`)
    expect(problems).toEqual([
      { line: 8, column: 13, message: 'Service is not valid: spec.ports[0].port must be a number' },
    ])
  })

  test('never repeats a value of a Secret in a problem', () => {
    const { problems } = parseManifests('apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {pin: 4711}\n')
    expect(problems[0]?.message).toBe('Secret is not valid: stringData.pin must be a string; put it in quotes')
  })

  test('passes over kinds that are not read, and tells them', () => {
    const { manifests, ignored, problems } = parseManifests(
      `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n---\n${service('a')}---\napiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: k}\n`,
    )
    expect(manifests.map(({ object }) => object.metadata.name)).toEqual(['a'])
    expect(ignored).toEqual(['apps/v1 Deployment', 'serving.knative.dev/v1 Service'])
    expect(problems).toEqual([])
  })

  test('says which version to use in place of one that is no longer served', () => {
    const { problems } = parseManifests('apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: i}\n')
    expect(problems[0]?.message).toBe('Ingress of apiVersion extensions/v1beta1 is not read; use networking.k8s.io/v1')
  })

  test('reads the items of a List, and JSON', () => {
    const items = ['a', 'b'].map(name => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }))
    const { manifests } = parseManifests(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, undefined, 2))
    expect(manifests.map(({ object }) => object.metadata.name)).toEqual(['a', 'b'])
  })

  test('takes an empty field for an absent one, as an API server does', () => {
    const { manifests } = parseManifests(`${service('a')}  labels:\nspec:\n`)
    expect(manifests[0]?.object).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'a', namespace: 'default' },
    })
  })

  test('gives the same object again for a document whose text did not change, at its new line', () => {
    const before = parseManifests(`${service('a')}---\n${service('b')}`)
    const after = parseManifests(`# more\n\n${service('c')}---\n${service('b')}`, before.cache)
    expect(after.manifests[1]?.object).toBe(before.manifests[1]?.object)
    expect(after.manifests[1]?.line).toBe(8)
  })

  test('reads a file with directives and document ends whole', () => {
    const { manifests } = parseManifests(`%YAML 1.2\n---\n${service('a')}...\n---\n${service('b')}`)
    expect(manifests.map(({ object }) => object.metadata.name)).toEqual(['a', 'b'])
  })

  test('refuses what expands without bound', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefgh'.replaceAll(/./g, (name, index: number) => {
      const before = 'abcdefgh'[index] ?? ''
      return `${name}: &${name} [${`*${before},`.repeat(10)}]\n`
    })}`
    const { manifests, problems } = parseManifests(bomb)
    expect(manifests).toEqual([])
    expect(problems[0]?.message).toMatch(/^not usable YAML: .*alias/i)
  })
})
