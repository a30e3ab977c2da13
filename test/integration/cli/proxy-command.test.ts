import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { describeOnCluster, sharedCluster } from '../cluster.ts'
import { instanceConfigMap } from '../instance-config-map.ts'

const entry = join(import.meta.dirname, '../../../src/cli/entry.ts')

/** A port where somebody else listens. */
async function takenPort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

describeOnCluster('the command proxy', () => {
  /** How it ends, with what it told a person. */
  async function run(options: Readonly<Record<string, string>>): Promise<{ code: number; stderr: string }> {
    const cluster = sharedCluster()
    const namespace = await cluster.createNamespace()
    await cluster.apply(instanceConfigMap({ namespace, name: 'shop' }))
    const usual = {
      address: '127.0.0.1',
      'http-port': '0',
      'https-port': '0',
      'metrics-port': '0',
      'admin-socket': join(cluster.scratch, `${namespace}.sock`),
    }
    const flags = Object.entries({ ...usual, ...options }).flatMap(([name, value]) => [`--${name}`, value])
    const child = spawn(process.execPath, [entry, 'proxy', ...flags], {
      env: { ...process.env, KUBECONFIG: cluster.kubeconfig, POD_NAMESPACE: namespace, INSTANCE_NAME: 'shop' },
      stdio: ['ignore', 'inherit', 'pipe'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', text => {
      stderr += text
    })
    const [code] = (await once(child, 'close')) as [number]
    return { code, stderr }
  }

  it.each(['http-port', 'https-port', 'metrics-port'])('ends with what is wrong when %s is taken', async flag => {
    const port = await takenPort()
    const { code, stderr } = await run({ [flag]: String(port) })
    expect(code).toBe(1)
    expect(stderr).toMatch(new RegExp(`^error: proxy of test-\\w+/shop: .*EADDRINUSE.*:${port}$`, 'm'))
  })

  it('ends with what is wrong when its socket cannot be made', async () => {
    const { code, stderr } = await run({ 'admin-socket': '/nowhere/admin.sock' })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: proxy of test-\w+\/shop: .*\/nowhere\/admin\.sock/m)
  })
})
