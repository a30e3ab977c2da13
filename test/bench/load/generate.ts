// `node generate.ts NAME OPTIONS`: a generator as a process, so that it can be put on a processor. It prints one line
// of JSON: its result, or, of those that stay until stdin ends, that they are ready.
import { type HandshakesOptions, runHandshakes } from './handshakes.ts'
import { type IdleOptions, openIdleConnections } from './idle-connections.ts'
import { type OpenLoopOptions, runOpenLoop } from './open-loop.ts'
import { serveSink } from './sink.ts'
import { runWebSocket, type WebSocketOptions } from './websocket.ts'

const [name = '', json = '{}'] = process.argv.slice(2)
const options: unknown = JSON.parse(json)

switch (name) {
  case 'open-loop':
    say(await runOpenLoop(options as OpenLoopOptions))
    break
  case 'handshakes':
    say(await runHandshakes(options as HandshakesOptions))
    break
  case 'websocket':
    say(await runWebSocket(options as WebSocketOptions))
    break
  case 'idle': {
    const sockets = await openIdleConnections(options as IdleOptions)
    say({ open: sockets.length })
    await untilStdin()
    say({ open: sockets.filter(socket => !socket.destroyed && socket.readable).length })
    for (const socket of sockets) socket.destroy()
    break
  }
  case 'sink': {
    const { server, port } = await serveSink()
    say({ port })
    await untilStdin()
    server.close()
    process.exit()
    break
  }
  default:
    throw new Error(`there is no generator named ${name}`)
}

function say(result: object): void {
  process.stdout.write(`${JSON.stringify(result)}\n`)
}

/** Resolves when the parent closes its end of the pipe, or has ended. */
async function untilStdin(): Promise<void> {
  await new Promise<void>(resolve => {
    process.stdin.resume().once('end', resolve)
  })
}
