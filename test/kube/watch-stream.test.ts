import { describe, expect, it } from 'vitest'
import { MalformedStream, readWatchStream } from '../../src/kube/watch-stream.ts'
import { ManualClock } from './manual-clock.ts'

interface Reading {
  readonly clock: ManualClock
  readonly types: string[]
  readonly done: Promise<unknown>
}

/** Reads a stream; `done` is what it threw, or undefined when it ended in good order. */
function read(chunks: AsyncIterable<Buffer> | Iterable<Buffer>, clock = new ManualClock()): Reading {
  const types: string[] = []
  const stream = (async function* () {
    yield* chunks
  })()
  const done = readWatchStream({
    open: () => Promise.resolve(stream),
    onEvent: event => types.push(event.type),
    signal: new AbortController().signal,
    idleLimitMs: 90_000,
    maxLineBytes: 200,
    clock,
  }).then(
    () => undefined,
    (error: unknown) => error,
  )
  return { clock, types, done }
}

const added = Buffer.from('{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n')

describe('readWatchStream', () => {
  it('gives every event of a stream that ends in good order and leaves no timer behind', async () => {
    const { clock, types, done } = read([added, added])
    expect(await done).toBeUndefined()
    expect(types).toEqual(['ADDED', 'ADDED'])
    expect(clock.pending).toBe(0)
  })

  it('gives the events before a malformed line and then calls for a new list', async () => {
    const { types, done } = read([Buffer.concat([added, Buffer.from('{"type":\n')])])
    expect(await done).toBeInstanceOf(MalformedStream)
    expect(types).toEqual(['ADDED'])
  })

  it('calls for a new list when a line is longer than the limit or is no event', async () => {
    expect(await read([Buffer.alloc(300, 'x')]).done).toBeInstanceOf(MalformedStream)
    expect(await read([Buffer.from('{"kind":"Status"}\n')]).done).toBeInstanceOf(MalformedStream)
  })

  it('takes an end in the middle of an event for a break', async () => {
    expect(await read([added, added.subarray(0, 20)]).done).toMatchObject({
      message: 'reading a watch: it ended in the middle of an event',
    })
  })

  it('ends a stream that is silent for the idle limit, counted from the last byte', async () => {
    const clock = new ManualClock()
    const types: string[] = []
    const next = [Promise.withResolvers<Buffer>(), Promise.withResolvers<Buffer>()]
    let endedAtMs: number | undefined
    const done = readWatchStream({
      open: signal =>
        Promise.resolve(
          (async function* () {
            signal.addEventListener('abort', () => next[1]?.reject(signal.reason))
            for (const { promise } of next) yield await promise
          })(),
        ),
      onEvent: event => types.push(event.type),
      signal: new AbortController().signal,
      idleLimitMs: 90_000,
      maxLineBytes: 200,
      clock,
    }).catch((error: unknown) => {
      endedAtMs = clock.monotonicMs()
      return error
    })
    await clock.advance(60_000)
    next[0]?.resolve(added)
    await clock.advance(89_000)
    expect(endedAtMs).toBeUndefined()
    await clock.advance(2000)
    expect(endedAtMs).toBe(150_000)
    expect(await done).toMatchObject({ name: 'IdleStream' })
    expect(types).toEqual(['ADDED'])
  })
})
