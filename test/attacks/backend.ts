import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** The process of the endpoint: apart from the honest clients, whose latencies would tell of its work, too. */

/** Octets by target. The large one is far more than kernels hold between two sockets. */
const lengths: Readonly<Record<string, number>> = { '/large': 64 * 1024 * 1024, '/medium': 16 * 1024 * 1024 }
const block = Buffer.alloc(65_536, 'x')

function answer(request: IncomingMessage, response: ServerResponse): void {
  request.resume()
  if (request.method === 'POST') return void request.on('end', () => response.end('hello'))
  if (request.url === '/some') return void response.end('x'.repeat(20_000))
  const length = lengths[request.url ?? '']
  if (length === undefined) return void response.end('hello')
  response.setHeader('content-length', length)
  let left = length
  const more = (): void => {
    while (left > 0) {
      left -= block.length
      if (!response.write(block)) return
    }
    response.end()
  }
  response.on('drain', more)
  more()
}

/** A WebSocket that is not read. */
function upgrade(_request: IncomingMessage, socket: Socket): void {
  socket.on('error', () => {})
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  socket.pause()
}

const server = createServer(answer)
server.on('upgrade', upgrade)
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit())
