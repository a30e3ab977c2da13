/**
 * What pods and the client of a run agree on. The content of every message is derived from the number of its request,
 * so that an answer that belongs to another one, a piece that is missing or one that came twice is seen.
 */

export const requestKinds = ['small', 'chunked', 'large', 'post', 'post-chunked', 'websocket'] as const
export type RequestKind = (typeof requestKinds)[number]

/** To the process of the pods; each is answered by a PodReply with the same number. */
export type PodOrder = { readonly number: number } & (
  | { readonly order: 'open'; readonly pod: string }
  /** As a terminating pod does: no new connections, idle ones are closed, the others after their request. */
  | { readonly order: 'close'; readonly pod: string }
  /** Kept connections that all pods together close by themselves, a second; 0 ends it. */
  | { readonly order: 'close-kept'; readonly perSecond: number }
  /** How often each request was received whole, up to 255, by its number. */
  | { readonly order: 'sightings' }
)

export interface PodReply {
  readonly number: number
  readonly port?: number
  readonly sightings?: Uint8Array
}

/** What a request asks for comes last in its target, after the path of its route. */
export function targetOf(prefix: string, kind: RequestKind, id: number): string {
  return `${prefix === '/' ? '' : prefix}/${kind}/${id}`
}

export function parseTarget(target: string): { readonly kind: RequestKind; readonly id: number } | undefined {
  const [id, kind] = target.split('/').reverse()
  const known = requestKinds.find(one => one === kind)
  return known === undefined ? undefined : { kind: known, id: Number(id) }
}

const smallBytes = 100
const chunkedBytes = 20_000
const largeBytes = 200_000

/** Text of a length, all of it telling whose it is. */
function textOf(id: number, length: number): string {
  const piece = `<${id}>`
  return piece.repeat(Math.ceil(length / piece.length)).slice(0, length)
}

export function requestBody(id: number): string {
  // Most are small; every eighth fills several reads.
  return textOf(id, id % 8 === 0 ? 60_000 + (id % 1_000) : 200 + (id % 1_000))
}

/** The first line names the pod; all after it depends on the request alone. */
export function answerBody(
  pod: string,
  request: { readonly kind: RequestKind; readonly id: number; readonly host: string; readonly body: string },
): string {
  const { kind, id, host, body } = request
  const length = kind === 'large' ? largeBytes : kind === 'chunked' ? chunkedBytes : smallBytes
  return `${pod}\n${kind} ${id} ${host}\n${body}\n${textOf(id, length)}`
}

export const frameText = (id: number, round: number): string => `${id}:${round}`

/** A WebSocket frame (RFC 6455 section 5.2) of at most 125 bytes; a client's is masked, with zeros. */
export function frame(opcode: 1 | 8, payload: string, masked: boolean): string {
  const head = String.fromCharCode(0x80 | opcode, (masked ? 0x80 : 0) | payload.length)
  return head + (masked ? '\0\0\0\0' : '') + payload
}

/** The frame at the beginning, undefined while it is not whole. */
export function takeFrame(
  text: string,
): { readonly opcode: number; readonly payload: string; readonly length: number } | undefined {
  if (text.length < 2) return undefined
  const start = (text.charCodeAt(1) & 0x80) === 0 ? 2 : 6
  const end = start + (text.charCodeAt(1) & 0x7f)
  if (text.length < end) return undefined
  return { opcode: text.charCodeAt(0) & 0x0f, payload: text.slice(start, end), length: end }
}
