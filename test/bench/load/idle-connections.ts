import { connect, type Socket } from 'node:net'
import { connect as connectTls, createSecureContext } from 'node:tls'
import { readAnswer } from './answer.ts'

export interface IdleOptions {
  readonly port: number
  readonly host: string
  readonly connections: number
  readonly tls: boolean
}

const openAtOnce = 64

/** Opens connections, asks once on each, and keeps them. */
export async function openIdleConnections(options: IdleOptions): Promise<readonly Socket[]> {
  const sockets: Socket[] = []
  const context = createSecureContext({ minVersion: 'TLSv1.3', ecdhCurve: 'X25519' })
  const open = (): Socket => {
    const { port, host, tls } = options
    if (!tls) return connect({ host: '127.0.0.1', port })
    return connectTls({ host: '127.0.0.1', port, servername: host, secureContext: context, rejectUnauthorized: false })
  }
  const worker = async (): Promise<void> => {
    while (sockets.length < options.connections) {
      const socket = open()
      sockets.push(socket)
      await askOnce(socket, options.host)
    }
  }
  await Promise.all(Array.from({ length: openAtOnce }, worker))
  return sockets
}

/** Resolves when the whole answer is there; a connection that ends later is seen by who counts those still open. */
async function askOnce(socket: Socket, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0)
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes])
      const answer = readAnswer(received, received.length)
      if (answer === undefined) return
      received = Buffer.alloc(0)
      if (answer.status === 200) resolve()
      else reject(new Error(`an idle connection was answered with status ${answer.status}`))
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('an idle connection was closed')))
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  })
}
