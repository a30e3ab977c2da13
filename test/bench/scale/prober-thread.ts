import { connect, type Socket } from 'node:net'
import { workerData } from 'node:worker_threads'
import { note, type ProberConfiguration } from './prober.ts'

// The prober's thread: it sleeps between probes where a timer would take a whole millisecond, and spins nowhere.
const { port, host, pauseMs, notes } = workerData as ProberConfiguration
const view = new BigInt64Array(notes)
const sleeper = new Int32Array(new SharedArrayBuffer(4))
const request = Buffer.from(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
const letters = { a: 'a'.charCodeAt(0), b: 'b'.charCodeAt(0) }

open()

function open(): void {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.on('connect', () => socket.write(request))
  socket.on('data', (chunk: Buffer) => take(chunk, socket))
  socket.on('error', () => {})
  socket.on('close', () => {
    if (Atomics.load(view, note.stop) === 1n) return
    Atomics.add(view, note.failures, 1n)
    setTimeout(open, 1)
  })
}

/** Answers of the pods are one small piece each: status line, head, and a body of one name. */
function take(chunk: Buffer, socket: Socket): void {
  const now = process.hrtime.bigint()
  Atomics.add(view, note.probes, 1n)
  const letter = chunk[chunk.indexOf('\r\n\r\n') + 4] ?? 0
  const isGood = chunk.toString('latin1', 9, 12) === '200'
  if (!isGood) Atomics.add(view, note.failures, 1n)
  else if (letter === letters.a) Atomics.store(view, note.lastA, now)
  else if (letter === letters.b) Atomics.store(view, note.lastB, now)
  const isAwaited = isGood && BigInt(letter) === Atomics.load(view, note.awaited)
  if (isAwaited && Atomics.load(view, note.firstAnswer) === 0n) Atomics.store(view, note.firstAnswer, now)
  if (chunk.includes('onnection: close')) {
    // Announced by the proxy, which counts the requests of a connection: not a failure.
    Atomics.sub(view, note.failures, 1n)
    return
  }
  if (Atomics.load(view, note.stop) === 1n) {
    socket.destroy()
    return
  }
  Atomics.wait(sleeper, 0, 0, pauseMs)
  socket.write(request)
}
