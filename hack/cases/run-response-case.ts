import { setTimeout as delay } from 'node:timers/promises'
import type { ResponseCase } from './case-file.ts'
import { readRequest, valuesOf } from './message.ts'
import { type Listener, RawClient, type Received } from './raw-client.ts'
import { plainAnswer, type Recorder, type Responder, recordedBody, recorderField } from './recorder.ts'
import type { Step } from './respond-script.ts'
import type { Stage } from './stage.ts'

export interface ResponseObservation {
  readonly received: Received
  /** How often the request was begun upstream. */
  readonly attempts: number
  /** The next request, on a client connection of its own: how it was answered and by which upstream connection. */
  readonly probe: 'on the same connection' | 'on another connection' | 'not answered rightly'
  /** The upstream connection of the case is still open. */
  readonly keptOpen: boolean
  readonly crash: string | undefined
}

const answerTimeoutMs = 6000
const quietMs = 30
const noticeTimeoutMs = 500
const longestProbes = 3

/** Lets one request meet a scripted upstream, then asks whether its connection is used again. */
export async function runResponseCase(
  stage: Stage,
  one: ResponseCase,
  listenerName: 'clear' | 'tls',
): Promise<ResponseObservation> {
  const { recorder } = stage
  const listener = stage.listener(listenerName)
  const scripted = new ScriptedUpstream(one, recorder)
  if (one.script.needsIdleConnection) await makeIdle(one, recorder, listener)
  recorder.respond = scripted.respond
  if (one.script.refused) await recorder.refuse()
  const client = await RawClient.connect(listener)
  try {
    const method = one.request.toString('latin1').split(' ', 1)
    const received = (): Received => client.received(method)
    client.send(one.request)
    await client.until(() => client.closed || isOver(received()), answerTimeoutMs)
    await delay(quietMs)
    const result = received()
    await recorder.accept()
    const probe = await probeReuse(one, scripted, listener)
    const isKept = (): boolean => recorder.connections.some(({ id, open }) => open && isScripted(one, scripted, id))
    if (one.upstreamReuse === 'no') await recorder.until(() => !isKept(), noticeTimeoutMs)
    return { received: result, attempts: scripted.connections.length, probe, keptOpen: isKept(), crash: stage.crash }
  } finally {
    client.destroy()
  }
}

/** Plays the script to the first request of the case, and answers all others plainly. */
class ScriptedUpstream {
  /** Connections on which the request of the case was begun. */
  readonly connections: number[] = []
  /** Connections on which a later request was answered. */
  readonly probes: number[] = []
  readonly #case: ResponseCase
  readonly #recorder: Recorder
  /** The client never sends it whole, so its head has to do. */
  readonly #answersHead: boolean

  constructor(one: ResponseCase, recorder: Recorder) {
    this.#case = one
    this.#recorder = recorder
    const reading = readRequest(one.request)
    this.#answersHead = reading.kind !== 'message' || !reading.message.complete
  }

  readonly respond: Responder = arrival => {
    const { message, connection, earlier } = arrival
    if (message.startLine[1] === probeTarget) {
      if (message.complete) this.probes.push(connection.id)
      return plainAnswer(arrival)
    }
    if (!this.connections.includes(connection.id)) this.connections.push(connection.id)
    const { script } = this.#case
    const reset: readonly Step[] = [{ act: 'reset' }]
    if (script.resetAfterHead) return reset
    if (script.resetOnReuse && earlier > 0) return reset
    if (script.needsIdleConnection) return plainAnswer(arrival)
    return message.complete || this.#answersHead ? script.steps : undefined
  }

  get recorder(): Recorder {
    return this.#recorder
  }
}

const probeTarget = '/probe'
const probeRequest = Buffer.from(`GET ${probeTarget} HTTP/1.1\r\nHost: a.test\r\n\r\n`)

/** Has the proxy keep one upstream connection idle; the script's unsolicited bytes are sent on it. */
async function makeIdle(one: ResponseCase, recorder: Recorder, listener: Listener): Promise<void> {
  await answeredRightly(listener)
  await delay(quietMs)
  const [idle] = recorder.connections
  if (idle === undefined || one.script.unsolicited === undefined) return
  idle.socket.write(one.script.unsolicited)
  await recorder.until(() => !idle.open, noticeTimeoutMs)
}

async function probeReuse(
  one: ResponseCase,
  scripted: ScriptedUpstream,
  listener: Listener,
): Promise<ResponseObservation['probe']> {
  const rounds = one.upstreamReuse === 'yes' ? longestProbes : 1
  for (let round = 0; round < rounds; round += 1) {
    if (!(await answeredRightly(listener))) return 'not answered rightly'
    const id = scripted.probes.at(-1)
    if (id !== undefined && isScripted(one, scripted, id)) return 'on the same connection'
    await delay(quietMs)
  }
  return 'on another connection'
}

/** The connection on which the script was played: for a retry the first, which was reset or spoilt. */
function isScripted(one: ResponseCase, scripted: ScriptedUpstream, id: number): boolean {
  if (!one.script.needsIdleConnection) return scripted.connections.includes(id)
  return id === scripted.recorder.connections[0]?.id
}

async function answeredRightly(listener: Listener): Promise<boolean> {
  const client = await RawClient.connect(listener)
  try {
    client.send(probeRequest)
    await client.until(() => client.closed || isOver(client.received(['GET'])), answerTimeoutMs)
    const [message] = client.received(['GET']).final
    const body = message?.body.toString('latin1')
    return message !== undefined && valuesOf(message, recorderField).length === 1 && body === recordedBody(probeTarget)
  } finally {
    client.destroy()
  }
}

function isOver({ final, fault }: Received): boolean {
  return fault !== undefined || final.some(({ complete }) => complete)
}
