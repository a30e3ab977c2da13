import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, test } from 'vitest'
import { generateSelfSigned } from '../../src/certificates/generate.ts'
import type { ClusterAccess } from '../../src/kube/credentials.ts'
import { execInPod } from '../../src/kube/exec.ts'

const target = { namespace: 'shop', pod: 'proxy-1', container: 'controller', command: ['/dbg', 'backends', 'all'] }

/** Channels of the protocol, RFC 6455 frames of which begin with one octet for the channel. */
const [stdout, stderr, status] = [1, 2, 3]
const success = { status: 'Success' }

let server: Server
let asked: { url: string; authorization: string; protocols: string }

afterEach(() => {
  server.closeAllConnections()
  server.close()
})

/** What an API server says on the wire of `exec`, frame by frame. */
async function answerWith(say: (socket: Duplex) => void): Promise<ClusterAccess> {
  const { certificate, key } = await generateSelfSigned({ hosts: ['api.example'], now: new Date() })
  server = createServer({ cert: certificate, key })
  server.on('upgrade', (request, socket) => {
    const {
      authorization = '',
      'sec-websocket-key': nonce = '',
      'sec-websocket-protocol': protocols = '',
    } = request.headers
    asked = { url: request.url ?? '', authorization, protocols }
    const accept = createHash('sha1').update(`${nonce}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
    socket.on('error', () => {})
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n`,
    )
    say(socket)
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    namespace: 'default',
    authorize: async () => ({
      headers: { authorization: 'Bearer secret-token' },
      tls: { caPem: certificate, serverName: 'api.example' },
    }),
  }
}

/** One binary message from the server: unmasked, shorter than 126 octets (RFC 6455 section 5.2). */
function frame(channel: number, text: string): Buffer {
  const payload = Buffer.concat([Buffer.from([channel]), Buffer.from(text)])
  return Buffer.concat([Buffer.from([0x82, payload.length]), payload])
}

describe('execInPod', () => {
  test('asks as kubectl exec does and gives what the command printed', async () => {
    const access = await answerWith(socket => {
      socket.write(frame(stdout, '[{"name":'))
      socket.write(frame(stderr, 'a warning'))
      socket.write(frame(stdout, '"b"}]'))
      socket.write(frame(status, JSON.stringify(success)))
    })
    expect(await execInPod(access, target)).toBe('[{"name":"b"}]')
    const url = new URL(asked.url, 'https://api.example')
    expect(url.pathname).toBe('/api/v1/namespaces/shop/pods/proxy-1/exec')
    expect(url.searchParams.getAll('command')).toEqual(target.command)
    expect(url.searchParams.get('container')).toBe('controller')
    expect(asked.authorization).toBe('Bearer secret-token')
    expect(asked.protocols).toContain('v5.channel.k8s.io')
  })

  test('says what a command that failed said', async () => {
    const access = await answerWith(socket => {
      socket.write(frame(stderr, 'there is no socket\n'))
      socket.write(frame(status, JSON.stringify({ status: 'Failure', message: 'exit code 1' })))
    })
    await expect(execInPod(access, target)).rejects.toThrow(
      'running /dbg backends all in pod shop/proxy-1: there is no socket',
    )
  })

  test('fails when the connection ends before the command', async () => {
    const access = await answerWith(socket => {
      socket.write(frame(stdout, '[{'))
      socket.end()
    })
    await expect(execInPod(access, target)).rejects.toThrow(
      'in pod shop/proxy-1: the connection ended before the command',
    )
  })

  test('fails when the command does not end in time', async () => {
    const access = await answerWith(() => {})
    await expect(execInPod(access, { ...target, timeoutMs: 50 })).rejects.toThrow('no end within the time allowed')
  })

  test('says why an API server refuses it', async () => {
    const access = await answerWith(() => {})
    server.removeAllListeners('upgrade')
    server.on('upgrade', (_request, socket) => {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    })
    await expect(execInPod(access, target)).rejects.toThrow(/in pod shop\/proxy-1: .*403/)
  })
})
