import { describe, expect, it } from 'vitest'
import type { FieldsV1, KubernetesObject } from '../../src/api/kubernetes.ts'
import { removalsOfForeignItems } from '../../src/kube/foreign-items.ts'
import { appliedFields, isApplied } from '../../src/kube/managed-fields.ts'

const leaf = {}

function object(spec: unknown, metadata: object = {}): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'a', ...metadata }, spec } as KubernetesObject
}

function stands(desired: unknown, live: unknown, applied: FieldsV1): boolean {
  return isApplied(object(desired), object(live), { 'f:spec': applied })
}

describe('isApplied', () => {
  it('holds when exactly the desired fields are ours and have their values, whatever else is there', () => {
    const applied = { 'f:a': leaf, 'f:b': { 'f:c': leaf } }
    expect(stands({ a: 1, b: { c: 'x' } }, { a: 1, b: { c: 'x', d: 'theirs' }, e: true }, applied)).toBe(true)
  })

  it('fails when a value differs, a field is not ours, or one of ours is no longer desired', () => {
    expect(stands({ a: 1 }, { a: 2 }, { 'f:a': leaf })).toBe(false)
    expect(stands({ a: 1, b: 1 }, { a: 1, b: 1 }, { 'f:a': leaf })).toBe(false)
    expect(stands({ a: { b: 1 } }, { a: 1 }, { 'f:a': { 'f:b': leaf } })).toBe(false)
    expect(stands({ a: 1 }, { a: 1, b: 1 }, { 'f:a': leaf, 'f:b': leaf })).toBe(false)
  })

  it('takes a field that is undefined for one that is not desired', () => {
    expect(stands({ a: 1, b: undefined }, { a: 1 }, { 'f:a': leaf })).toBe(true)
  })

  it('looks at labels and annotations, not at what names the object', () => {
    const metadata = { namespace: 'shop', uid: 'u', resourceVersion: '7', labels: { app: 'x' } }
    const live = object({ a: 1 }, metadata)
    const applied = { 'f:spec': { 'f:a': leaf }, 'f:metadata': { 'f:labels': { 'f:app': leaf } } }
    expect(isApplied(object({ a: 1 }, { labels: { app: 'x' } }), live, applied)).toBe(true)
    expect(isApplied(object({ a: 1 }, { labels: { app: 'y' } }), live, applied)).toBe(false)
    expect(isApplied(object({ a: 1 }), live, applied)).toBe(false)
  })

  it('fails when the version of the API differs, for fields may have other names there', () => {
    expect(isApplied({ ...object({ a: 1 }), apiVersion: 'v2' }, object({ a: 1 }), { 'f:spec': { 'f:a': leaf } })).toBe(
      false,
    )
  })

  it('finds items of lists by their keys, in any order, defaults of keys included', () => {
    const applied = {
      'f:ports': {
        'k:{"port":80,"protocol":"TCP"}': { '.': leaf, 'f:port': leaf, 'f:name': leaf },
        'k:{"port":80,"protocol":"UDP"}': { '.': leaf, 'f:port': leaf, 'f:protocol': leaf, 'f:name': leaf },
      },
    }
    const udp = { port: 80, protocol: 'UDP', name: 'quic' }
    const desired = { ports: [{ port: 80, name: 'http' }, udp] }
    const live = {
      ports: [udp, { port: 99, protocol: 'TCP' }, { port: 80, protocol: 'TCP', name: 'http', nodePort: 3 }],
    }
    expect(stands(desired, live, applied)).toBe(true)
    expect(stands({ ports: [{ port: 80, name: 'web' }, udp] }, live, applied)).toBe(false)
    expect(stands({ ports: [udp] }, live, applied)).toBe(false)
    expect(stands({ ports: [] }, live, applied)).toBe(false)
  })

  it('compares sets without order', () => {
    const applied = { 'f:finalizers': { 'v:"a"': leaf, 'v:"b"': leaf } }
    expect(stands({ finalizers: ['b', 'a'] }, { finalizers: ['a', 'theirs', 'b'] }, applied)).toBe(true)
    expect(stands({ finalizers: ['a'] }, { finalizers: ['a', 'b'] }, applied)).toBe(false)
    expect(stands({ finalizers: ['a', 'c'] }, { finalizers: ['a', 'b'] }, applied)).toBe(false)
  })

  it('compares what is owned whole in order and length, leaving room for defaults within', () => {
    const applied = { 'f:rules': leaf }
    expect(stands({ rules: [{ a: 1 }] }, { rules: [{ a: 1, defaulted: true }] }, applied)).toBe(true)
    expect(stands({ rules: [{ a: 1 }] }, { rules: [{ a: 1 }, { b: 1 }] }, applied)).toBe(false)
    expect(stands({ rules: ['a', 'b'] }, { rules: ['b', 'a'] }, applied)).toBe(false)
    expect(stands({ rules: { a: 1 } }, { rules: { a: 2 } }, applied)).toBe(false)
  })

  it('accepts an empty list or map that the server left out', () => {
    expect(stands({ args: [] }, {}, { 'f:args': leaf })).toBe(true)
    expect(stands({ nodeSelector: {} }, {}, { 'f:nodeSelector': leaf })).toBe(true)
    expect(stands({ a: 1, ports: [] }, { a: 1, ports: [{ port: 1 }] }, { 'f:a': leaf })).toBe(true)
  })

  it('knows one quantity written in two ways, but only where quantities are', () => {
    const applied = { 'f:resources': { 'f:limits': { 'f:cpu': leaf, 'f:memory': leaf } } }
    const limits = (cpu: unknown, memory: unknown) => ({ resources: { limits: { cpu, memory } } })
    expect(stands(limits('0.1', '1024Mi'), limits('100m', '1Gi'), applied)).toBe(true)
    expect(stands(limits(2, '1e3'), limits('2', '1k'), applied)).toBe(true)
    expect(stands(limits('0.1', '1G'), limits('100m', '1Gi'), applied)).toBe(false)
    expect(stands({ value: '1.0' }, { value: '1' }, { 'f:value': leaf })).toBe(false)
  })
})

describe('appliedFields', () => {
  it('is what this manager applied to the object itself, not what it updated or applied to the status', () => {
    const entry = (operation: string, manager: string, name: string, subresource?: string) => ({
      manager,
      operation,
      ...(subresource === undefined ? {} : { subresource }),
      fieldsV1: { [`f:${name}`]: leaf },
    })
    const managedFields = [
      entry('Apply', 'us', 'status', 'status'),
      entry('Update', 'us', 'updated'),
      entry('Apply', 'them', 'theirs'),
      entry('Apply', 'us', 'ours'),
    ]
    expect(appliedFields(object({}, { managedFields }), 'us')).toEqual({ 'f:ours': leaf })
    expect(appliedFields(object({}, { managedFields }), 'us', 'status')).toEqual({ 'f:status': leaf })
    expect(appliedFields(object({}), 'us')).toBeUndefined()
  })
})

describe('removalsOfForeignItems', () => {
  it('removes what others put into our lists, from the end, and nothing else', () => {
    const fieldsV1 = {
      'f:spec': {
        'f:ports': { 'k:{"port":81}': leaf, 'k:{"port":83}': leaf, 'k:{"port":80}': { 'f:nodePort': leaf } },
        'f:theirs': { 'k:{"name":"x"}': leaf },
      },
    }
    const managedFields = [{ manager: 'kubectl-edit', operation: 'Update', fieldsV1 }]
    const live = object(
      { ports: [{ port: 80 }, { port: 81 }, { port: 82 }, { port: 83 }], theirs: [{ name: 'x' }] },
      { managedFields },
    )
    expect(removalsOfForeignItems(object({ ports: [{ port: 80 }] }), live, 'us')).toEqual([
      { op: 'remove', path: '/spec/ports/3' },
      { op: 'remove', path: '/spec/ports/1' },
    ])
    expect(removalsOfForeignItems(object({}), live, 'us')).toEqual([])
    expect(removalsOfForeignItems(object({ ports: [] }), live, 'kubectl-edit')).toEqual([])
  })
})
