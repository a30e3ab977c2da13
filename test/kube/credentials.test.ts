import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadClusterAccess } from '../../src/kube/credentials.ts'
import { ManualClock } from './manual-clock.ts'

let directory = ''

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingress-fleet-credentials-'))
})

afterEach(() => rm(directory, { recursive: true }))

async function writeServiceAccount(token: string): Promise<void> {
  await writeFile(join(directory, 'namespace'), 'shop\n')
  await writeFile(join(directory, 'token'), `${token}\n`)
  await writeFile(join(directory, 'ca.crt'), 'the CA')
}

async function writeKubeconfig(name: string, context: string, user: object): Promise<string> {
  const path = join(directory, name)
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: context, cluster: { server: `https://${context}.example:6443/prefix` } }],
    users: [{ name: context, user }],
    contexts: [{ name: context, context: { cluster: context, user: context, namespace: `in-${context}` } }],
    'current-context': context,
  }
  await writeFile(path, JSON.stringify(config))
  return path
}

describe('a service account', () => {
  it('gives its namespace, its token as a header and its CA', async () => {
    await writeServiceAccount('one')
    const access = await loadClusterAccess({ serviceAccountDirectory: directory })
    expect(access.namespace).toBe('shop')
    expect(access.server).toBe('https://kubernetes.default.svc')
    expect(await access.authorize()).toEqual({ headers: { authorization: 'Bearer one' }, tls: { caPem: 'the CA' } })
  })

  it('is read again after a minute, or at once when it was refused', async () => {
    const clock = new ManualClock()
    await writeServiceAccount('one')
    const access = await loadClusterAccess({ serviceAccountDirectory: directory, clock })
    const token = async (refresh = false) => (await access.authorize(refresh)).headers['authorization']
    expect(await token()).toBe('Bearer one')
    await writeServiceAccount('two')
    await clock.advance(59_999)
    expect(await token()).toBe('Bearer one')
    await clock.advance(1)
    expect(await token()).toBe('Bearer two')
    await writeServiceAccount('three')
    expect(await token(true)).toBe('Bearer three')
  })

  it('keeps what it read while its files are being replaced', async () => {
    await writeServiceAccount('one')
    const access = await loadClusterAccess({ serviceAccountDirectory: directory })
    await access.authorize()
    await rm(join(directory, 'token'))
    expect((await access.authorize(true)).headers['authorization']).toBe('Bearer one')
  })

  it('is missed with a word on what to do', async () => {
    const missing = loadClusterAccess({ serviceAccountDirectory: join(directory, 'none') })
    await expect(missing).rejects.toThrow('none is there; name a kubeconfig instead')
  })
})

describe('a kubeconfig', () => {
  it('gives the current context, or the one that is named, of one file or of several', async () => {
    const first = await writeKubeconfig('first', 'blue', { token: 'b' })
    const second = await writeKubeconfig('second', 'green', { username: 'user', password: 'secret' })
    const blue = await loadClusterAccess({ kubeconfig: [first, second].join(delimiter) })
    expect(blue.server).toBe('https://blue.example:6443/prefix')
    expect(blue.namespace).toBe('in-blue')
    expect((await blue.authorize()).headers).toEqual({ authorization: 'Bearer b' })
    const green = await loadClusterAccess({ kubeconfig: [first, second].join(delimiter), context: 'green' })
    expect(green.namespace).toBe('in-green')
    expect((await green.authorize()).headers['authorization']).toBe(
      `Basic ${Buffer.from('user:secret').toString('base64')}`,
    )
  })

  it('is read anew when its credentials were refused', async () => {
    const path = await writeKubeconfig('config', 'blue', { token: 'one' })
    const access = await loadClusterAccess({ kubeconfig: path })
    await access.authorize()
    await writeKubeconfig('config', 'blue', { token: 'two' })
    expect((await access.authorize(true)).headers).toEqual({ authorization: 'Bearer two' })
  })

  it('runs an exec plugin for its token', async () => {
    const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token: 'x' } }
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: 'echo',
      args: [JSON.stringify(credential)],
      interactiveMode: 'Never',
    }
    const path = await writeKubeconfig('config', 'blue', { exec })
    const access = await loadClusterAccess({ kubeconfig: path })
    expect((await access.authorize()).headers).toEqual({ authorization: 'Bearer x' })
  })

  it('is refused when its context names no cluster', async () => {
    const path = await writeKubeconfig('config', 'blue', { token: 'one' })
    await expect(loadClusterAccess({ kubeconfig: path, context: 'red' })).rejects.toThrow('names no cluster')
  })
})
