// Sample apps: `node hack/demo-backend.ts NAME…` serves each name on a free loopback port and sends the ports to its
// parent, or prints them. An app says its name and what it was asked.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

const names = process.argv.slice(2)
const servers = names.map(serve)
const ports = await Promise.all(servers.map(listen))
const portOf = Object.fromEntries(names.map((name, index) => [name, ports[index]]))
if (process.send) process.send(portOf)
else console.log(JSON.stringify(portOf))
process.once('disconnect', stop)
process.once('SIGTERM', stop)
// Ctrl-C goes to the whole group; the parent ends this process when its last request is through.
process.on('SIGINT', () => {
  if (!process.connected) stop()
})

function serve(name: string): Server {
  return createServer((request, response) => {
    request.resume()
    response.setHeader('content-type', 'text/plain')
    response.end(`${name} answers ${request.method} ${request.url} for ${request.headers.host}\n`)
  })
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return (server.address() as AddressInfo).port
}

function stop(): void {
  for (const server of servers) {
    server.close()
    server.closeAllConnections()
  }
}
