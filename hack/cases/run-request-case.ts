import { setTimeout as delay } from 'node:timers/promises'
import type { RequestCase } from './case-file.ts'
import { valuesOf } from './message.ts'
import { type Listener, RawClient, type Received } from './raw-client.ts'
import { type RecordedRequest, type Recorder, recorderField } from './recorder.ts'
import type { Stage } from './stage.ts'

/** One upstream connection, as it was at the end of the case. */
interface ConnectionRecord {
  readonly octets: Buffer
  readonly fault: string | undefined
  readonly open: boolean
  /** It holds the beginning of a request that never arrived whole. */
  readonly partial: boolean
}

/** What came out at both ends. */
export interface RequestObservation {
  readonly listener: Listener
  readonly requests: readonly RecordedRequest[]
  readonly connections: readonly ConnectionRecord[]
  readonly received: Received
  /** The client had an interim response before it sent its second part. */
  readonly continued: boolean
  readonly crash: string | undefined
}

/** How long something that should come is waited for: only a failing case takes so long. */
const answerTimeoutMs = 4000
/** A proxy that keeps a connection it should close is given this long. */
const closeTimeoutMs = 1500
/** Time in which something that must not happen would be seen. */
const quietMs = 40
const quietForCanaryMs = 120
/** Waits of a case longer than this are for a timeout of the proxy, which ends them. */
export const longWaitMs = 5000

/** Sends one raw request on a new connection. */
export async function runRequestCase(
  stage: Stage,
  one: RequestCase,
  listenerName: 'clear' | 'tls',
): Promise<RequestObservation> {
  const { recorder } = stage
  const listener = stage.listener(listenerName)
  const client = await RawClient.connect(listener)
  try {
    const methods = (): readonly string[] => methodsOf(one, recorder)
    const received = (): Received => client.received(methods())
    const continued = await sendParts(client, one, received)
    if (one.expect === 'incomplete') client.halfClose()
    await client.until(() => isAnswered(one, received()), answerTimeoutMs)
    if (one.mustClose) await client.until(() => client.closed, closeTimeoutMs)
    await delay(one.never.length > 0 ? quietForCanaryMs : quietMs)
    await recorder.until(
      () => recorder.connections.every(other => !other.open || other.pending.length === 0),
      closeTimeoutMs,
    )
    const connections = recorder.connections.map(({ octets, fault, open, pending }) => {
      return { octets, fault, open, partial: pending.length > 0 }
    })
    return {
      listener,
      requests: [...recorder.requests],
      connections,
      received: received(),
      continued,
      crash: stage.crash,
    }
  } finally {
    client.destroy()
  }
}

/** Methods of the requests on the client's connection, as far as the proxy understood them. */
function methodsOf(one: RequestCase, recorder: Recorder): readonly string[] {
  const seen = recorder.requests.map(({ message }) => message.startLine[0])
  const [first] = one.parts
  return seen.length > 0 ? seen : [/^\s*(\S+)/.exec(first?.octets.toString('latin1', 0, 100) ?? '')?.[1] ?? 'GET']
}

async function sendParts(client: RawClient, one: RequestCase, received: () => Received): Promise<boolean> {
  const [first] = one.parts
  const waitsForContinue =
    one.parts.length > 1 && /^expect:\s*100-continue/im.test(first?.octets.toString('latin1') ?? '')
  let continued = false
  for (const part of one.parts) {
    client.send(part.octets)
    if (waitsForContinue && part === first) {
      continued = await client.until(() => client.closed || received().interim.length > 0, answerTimeoutMs)
    } else if (part.waitMs > longWaitMs) {
      await client.until(() => client.closed, Math.min(part.waitMs, 2 * longWaitMs))
    } else if (part.waitMs > 0) {
      await delay(part.waitMs)
    }
  }
  return continued
}

/** All that the client waits for has come, or nothing more can come. */
function isAnswered(one: RequestCase, received: Received): boolean {
  if (received.closed || received.fault !== undefined) return true
  const finished = received.final.filter(({ complete }) => complete)
  // An answer that the proxy made itself may be the last, whatever was expected.
  if (finished.some(message => valuesOf(message, recorderField).length === 0)) return true
  const wanted = one.expect === 'forward' ? (one.up.requests ?? one.up.requests_min ?? 1) : 1
  return finished.length >= wanted
}
