import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { RawClient } from '../proxy/raw-client.ts'
import { ingress, ingressDeployment, service, slice, tlsSecret } from './sample-objects.ts'
import { Serving } from './serving.ts'

test('a TLS session of one process resumes at another one that has the same keys', async () => {
  await using first = new Serving()
  await using second = new Serving()
  const keys = join(first.folder, 'ticket.key')
  writeFileSync(keys, randomBytes(48))
  const port = await first.backend('web')
  const secret = await tlsSecret('shop-tls', ['shop.example.com'])
  for (const serving of [first, second]) {
    const tls = [{ hosts: ['shop.example.com'], secretName: 'shop-tls' }]
    const objects = [ingress('shop', [{ host: 'shop.example.com', service: 'web' }], { tls }), secret]
    serving.write('all.yaml', ingressDeployment(), service('web'), slice('web-1', 'web', port), ...objects)
  }
  await Promise.all([first.start('--ticket-key-file', keys), second.start('--ticket-key-file', keys)])
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const options = { servername: 'shop.example.com', maxVersion }
    const client = await RawClient.connectTls(Number(first.url('HTTPS').port), options)
    const given = once(client.socket, 'session') as Promise<[Buffer]>
    const session = maxVersion === 'TLSv1.2' ? client.socket.getSession() : (await given)[0]
    client.destroy()
    const again = await RawClient.connectTls(Number(second.url('HTTPS').port), { ...options, session })
    expect(again.socket.isSessionReused()).toBe(true)
    again.get('shop.example.com')
    expect((await again.response()).status).toBe(200)
    again.destroy()
  }
})
