import { expect, test } from 'vitest'
import { CountingServer } from './counting-server.ts'
import { serveSink } from './sink.ts'
import { runWebSocket } from './websocket.ts'

const options = { host: 'bench.example', connections: 3, seconds: 0.2 }

test('every message comes back as it was sent', async () => {
  const { server, port } = await serveSink()
  try {
    const { messages, failures } = await runWebSocket({ ...options, port })
    expect(failures).toEqual({ upgrade: 0, wrongAnswer: 0, reset: 0 })
    expect(messages).toBeGreaterThan(options.connections)
  } finally {
    server.close()
  }
})

test('an upgrade that is refused is counted', async () => {
  await using server = await CountingServer.start(() => 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n')
  const { messages, failures } = await runWebSocket({ ...options, port: server.port })
  expect(messages).toBe(0)
  expect(failures).toEqual({ upgrade: options.connections, wrongAnswer: 0, reset: 0 })
})

test('a message that comes back as another is counted', async () => {
  const frame = String.fromCharCode(0x81, 64) + 'x'.repeat(64)
  const upgrade = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
  await using server = await CountingServer.start(() => upgrade + frame)
  const { messages, failures } = await runWebSocket({ ...options, connections: 1, port: server.port })
  expect(messages).toBe(0)
  expect(failures).toMatchObject({ upgrade: 0, wrongAnswer: 1 })
})
