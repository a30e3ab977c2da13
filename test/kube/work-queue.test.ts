import { describe, expect, it } from 'vitest'
import { RetryAfter, TerminalError } from '../../src/kube/retry.ts'
import { WorkQueue, type WorkQueueOptions } from '../../src/kube/work-queue.ts'
import { ManualClock, settle } from './manual-clock.ts'

/** A queue whose work ends when the test says so. */
function heldQueue(options: Partial<WorkQueueOptions> = {}) {
  const clock = new ManualClock()
  const started: string[] = []
  const running = new Map<string, PromiseWithResolvers<undefined>>()
  const queue = new WorkQueue({
    concurrency: 1,
    clock,
    process: key => {
      started.push(key)
      const work = Promise.withResolvers<undefined>()
      running.set(key, work)
      return work.promise
    },
    ...options,
  })
  const finish = async (key: string) => {
    running.get(key)?.resolve(undefined)
    await settle()
  }
  return { clock, queue, started, finish }
}

describe('WorkQueue', () => {
  it('does a key once however often it was added before its turn', async () => {
    const { queue, started, finish } = heldQueue()
    queue.add('first')
    queue.add('a')
    queue.add('a')
    await settle()
    await finish('first')
    await finish('a')
    expect(started).toEqual(['first', 'a'])
    expect(queue.size).toBe(0)
  })

  it('never works on a key twice at once, and does it again when it was added meanwhile', async () => {
    const { queue, started, finish } = heldQueue({ concurrency: 4 })
    queue.add('a')
    await settle()
    queue.add('a')
    queue.add('a')
    await settle()
    expect(started).toEqual(['a'])
    await finish('a')
    expect(started).toEqual(['a', 'a'])
    await finish('a')
    expect(queue.size).toBe(0)
  })

  it('works on as many keys at once as it has workers', async () => {
    const { queue, started, finish } = heldQueue({ concurrency: 2 })
    for (const key of ['a', 'b', 'c']) queue.add(key)
    await settle()
    expect(started).toEqual(['a', 'b'])
    await finish('b')
    expect(started).toEqual(['a', 'b', 'c'])
  })

  it('takes fresh keys before those of a resync, and a key that turns fresh among them', async () => {
    const { queue, started, finish } = heldQueue()
    queue.add('running')
    for (const key of ['old-1', 'old-2', 'old-3']) queue.add(key, 'resync')
    queue.add('new')
    queue.add('old-3')
    queue.add('new', 'resync')
    await settle()
    for (const key of ['running', 'new', 'old-3', 'old-1', 'old-2']) await finish(key)
    expect(started).toEqual(['running', 'new', 'old-3', 'old-1', 'old-2'])
  })

  it('retries a failing key after 5 ms, doubling to the limit, and forgets on success', async () => {
    const clock = new ManualClock()
    const delays: (number | undefined)[] = []
    let failing = true
    const queue = new WorkQueue({
      concurrency: 1,
      clock,
      maxDelayMs: 40,
      process: () => (failing ? Promise.reject(new Error('not yet')) : Promise.resolve(undefined)),
      onError: (_key, _error, retryInMs) => delays.push(retryInMs),
    })
    queue.add('a')
    await clock.advance(5 + 10 + 20 + 40 + 40)
    expect(delays).toEqual([5, 10, 20, 40, 40, 40])
    failing = false
    await clock.advance(40)
    failing = true
    queue.add('a')
    await settle()
    expect(delays.at(-1)).toBe(5)
    await queue.shutDown()
  })

  it('does a key that waits out its backoff at once when it is added', async () => {
    const clock = new ManualClock()
    const startedAtMs: number[] = []
    const queue = new WorkQueue({
      concurrency: 1,
      clock,
      baseDelayMs: 1000,
      process: () => {
        startedAtMs.push(clock.monotonicMs())
        return startedAtMs.length === 1 ? Promise.reject(new Error('not yet')) : Promise.resolve(undefined)
      },
    })
    queue.add('a')
    await clock.advance(10)
    queue.add('a')
    await settle()
    expect(startedAtMs).toEqual([0, 10])
    await queue.shutDown()
  })

  it('waits as long as RetryAfter says and never retries a TerminalError', async () => {
    const clock = new ManualClock()
    const retries: (number | undefined)[] = []
    const queue = new WorkQueue({
      concurrency: 2,
      clock,
      process: key => Promise.reject(key === 'later' ? new RetryAfter(700, 'busy') : new TerminalError('wrong')),
      onError: (_key, _error, retryInMs) => retries.push(retryInMs),
    })
    queue.add('later')
    queue.add('never')
    await settle()
    expect(retries).toEqual([700, undefined])
    expect(queue.size).toBe(1)
    await queue.shutDown()
  })

  it('adds a delayed key at the earliest of its times, and again when the work asks for it', async () => {
    const clock = new ManualClock()
    const startedAtMs: number[] = []
    const queue = new WorkQueue({
      concurrency: 1,
      clock,
      process: () => {
        startedAtMs.push(clock.monotonicMs())
        return Promise.resolve(startedAtMs.length === 1 ? { requeueAfterMs: 50 } : undefined)
      },
    })
    queue.addAfter('a', 300)
    queue.addAfter('a', 100)
    queue.addAfter('a', 200)
    await clock.advance(1000)
    expect(startedAtMs).toEqual([100, 150])
    expect(clock.pending).toBe(0)
  })

  it('refuses more keys than its limit but takes those it has', async () => {
    const { queue } = heldQueue({ maxKeys: 2 })
    queue.add('a')
    queue.addAfter('b', 100)
    expect(() => queue.add('c')).toThrow('limit of 2 keys')
    expect(() => queue.add('b')).not.toThrow()
    await settle()
  })

  it('ends running work by its signal, releases every timer and takes nothing more when shut down', async () => {
    const clock = new ManualClock()
    const started: string[] = []
    const queue = new WorkQueue({
      concurrency: 1,
      clock,
      process: (key, signal) => {
        started.push(key)
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('aborted')))
        })
      },
    })
    queue.add('a')
    queue.add('b')
    queue.addAfter('c', 100)
    await settle()
    await queue.shutDown()
    queue.add('d')
    await clock.advance(1000)
    expect(started).toEqual(['a'])
    expect(clock.pending).toBe(0)
    expect(queue.size).toBe(0)
  })
})
