import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Ingress } from '../../src/api/kubernetes.ts'
import type { InstanceConfiguration } from '../../src/api/settings.ts'
import { RoutingSessions } from '../../src/operator/routing-sessions.ts'
import { defaultSettings } from '../../src/routing/default-settings.ts'
import type { Change } from '../../src/routing/snapshot.ts'

function ingress(name: string, spec: NonNullable<Ingress['spec']>, namespace = 'app'): Ingress {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { namespace, name, uid: name }, spec }
}

function change(object: Ingress): Change {
  const { namespace = '', name } = object.metadata
  return { kind: 'Ingress', namespace, name, object }
}

function configuration(name: string, rest: Partial<InstanceConfiguration> = {}): InstanceConfiguration {
  return {
    instance: { namespace: 'edge', name },
    ingressClass: { name, isDefault: false, controller: 'ingressfleet.dev/ingress-controller' },
    namespaces: null,
    ingressSelector: null,
    secretNamespaces: [],
    defaultCertificateSecretName: 'tls',
    settings: defaultSettings,
    ...rest,
  }
}

const asDefault = (name: string): Partial<InstanceConfiguration> => ({
  ingressClass: { name, isDefault: true, controller: 'ingressfleet.dev/ingress-controller' },
})

function sessionsWith(objects: readonly Ingress[]) {
  const calls: string[] = []
  const sessions = new RoutingSessions({
    everything: () => objects.map(change),
    checkKeyPair: () => ({ ok: false, reason: 'InvalidKeyPair', message: 'no' }),
    onReferences: key => calls.push(`references ${key}`),
    onIngresses: keys => calls.push(`ingresses ${[...keys].toSorted().join(' ')}`),
    onFindings: key => calls.push(`findings ${key}`),
  })
  return { sessions, calls }
}

const tls = [{ hosts: ['a.example'], secretName: 'a-tls' }]

describe('routing sessions', () => {
  it('know which instance serves an Ingress, and where its Secrets are', () => {
    const mine = ingress('mine', { ingressClassName: 'one', tls })
    const { sessions } = sessionsWith([mine, ingress('other', { ingressClassName: 'two' }, 'else')])
    expect(sessions.configure('edge/one', configuration('one'), false)).toEqual(new Set(['app']))
    expect(sessions.configure('edge/two', configuration('two'), false)).toEqual(new Set())
    expect(sessions.claimant(mine)?.key).toBe('edge/one')
    expect(sessions.served('edge/two')).toEqual(['else/other'])
  })

  it('give an Ingress without class to the first of several default instances, always the same', () => {
    const classless = ingress('classless', {})
    const { sessions } = sessionsWith([classless])
    for (const name of ['b', 'a', 'c']) sessions.configure(`edge/${name}`, configuration(name, asDefault(name)), false)
    expect(sessions.claimant(classless)?.key).toBe('edge/a')
    sessions.end('edge/a')
    expect(sessions.claimant(classless)?.key).toBe('edge/b')
  })

  it('tell of Ingresses that a change of scope takes out or in, and of none when nothing changes', () => {
    const { sessions, calls } = sessionsWith([
      ingress('a', { ingressClassName: 'one' }, 'red'),
      ingress('b', { ingressClassName: 'one' }, 'blue'),
    ])
    sessions.configure('edge/one', configuration('one', { namespaces: ['red'] }), false)
    expect(calls).toContain('ingresses red/a')
    calls.length = 0
    sessions.configure('edge/one', configuration('one', { namespaces: ['red'] }), false)
    expect(calls).toEqual([])
    sessions.configure('edge/one', configuration('one', { namespaces: ['blue'] }), false)
    expect(calls).toContain('ingresses blue/b red/a')
  })

  it('tell of references that come and go, once for all changes of a turn', async () => {
    const { sessions, calls } = sessionsWith([])
    sessions.configure('edge/one', configuration('one'), false)
    calls.length = 0
    sessions.take(change(ingress('a', { ingressClassName: 'one', tls })))
    sessions.take(change(ingress('b', { ingressClassName: 'one', tls })))
    await nextTurn()
    expect(calls.filter(call => call === 'references edge/one')).toHaveLength(1)
    calls.length = 0
    sessions.take(change(ingress('a', { ingressClassName: 'one' })))
    await nextTurn()
    expect(calls).not.toContain('references edge/one')
    sessions.take(change(ingress('b', { ingressClassName: 'one' })))
    await nextTurn()
    expect(calls).toContain('references edge/one')
  })

  it('tell Ingresses their addresses when these changed', () => {
    const { sessions, calls } = sessionsWith([ingress('a', { ingressClassName: 'one' })])
    sessions.configure('edge/one', configuration('one'), false)
    calls.length = 0
    for (const value of ['192.0.2.1', '192.0.2.1', '192.0.2.2']) {
      sessions.setAddresses('edge/one', [{ type: 'IPAddress', value }])
    }
    expect(calls).toEqual(['ingresses app/a', 'ingresses app/a'])
    expect(sessions.get('edge/one')?.addresses).toEqual([{ type: 'IPAddress', value: '192.0.2.2' }])
  })

  it('tell of everything that is served when the pause is over', () => {
    const { sessions, calls } = sessionsWith([ingress('a', { ingressClassName: 'one' })])
    sessions.configure('edge/one', configuration('one'), true)
    calls.length = 0
    sessions.configure('edge/one', configuration('one'), true)
    expect(calls).toEqual([])
    sessions.configure('edge/one', configuration('one'), false)
    expect(calls).toEqual(['ingresses app/a', 'findings edge/one'])
    expect(sessions.get('edge/one')?.paused).toBe(false)
  })

  it('name what was served when they end', () => {
    const { sessions } = sessionsWith([ingress('a', { ingressClassName: 'one' })])
    sessions.configure('edge/one', configuration('one'), false)
    expect(sessions.end('edge/one')).toEqual(['app/a'])
    expect(sessions.end('edge/one')).toEqual([])
  })
})
