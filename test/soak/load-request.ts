import type { LoadConnection } from './load-connection.ts'
import { answerBody, frame, frameText, type RequestKind, requestBody, takeFrame, targetOf } from './pod-protocol.ts'

/** Where requests go and who may answer them. `services` may be replaced; a request holds to those it began with, too. */
export interface Target {
  readonly host: string
  readonly path: string
  readonly tls: boolean
  services: readonly string[]
}

export interface LoadRequest {
  readonly id: number
  readonly kind: RequestKind
  readonly target: Target
  /** That might answer when it began. */
  readonly services: readonly string[]
  readonly secure: boolean
  readonly fresh: boolean
  readonly startedMs: number
  connection: LoadConnection | undefined
}

const websocketRounds = 3
/** Pods are named for their Service. */
export const podName = (service: string, number: number): string => `${service}.${number}`
const serviceOf = (pod: string): string => pod.split('.')[0] ?? ''

/**
 * Sends the request and reads its answer. Rejects when that is not exactly what a pod that may answer would say.
 * Resolves with whether the connection may be used again, and the pod.
 */
export async function perform(
  request: LoadRequest,
  connection: LoadConnection,
): Promise<{ readonly pod: string; readonly reusable: boolean }> {
  connection.requests++
  return request.kind === 'websocket' ? performUpgrade(request, connection) : performPlain(request, connection)
}

async function performPlain(
  request: LoadRequest,
  { client }: LoadConnection,
): Promise<{ readonly pod: string; readonly reusable: boolean }> {
  const { id, kind, target } = request
  const isPost = kind === 'post' || kind === 'post-chunked'
  const body = isPost ? requestBody(id) : ''
  client.send(textOf(request, body))
  const response = await client.response()
  if (response.status !== 200) throw new Error(`status ${response.status}`)
  const pod = response.body.slice(0, response.body.indexOf('\n'))
  if (response.body !== answerBody(pod, { kind, id, host: target.host, body })) {
    throw new Error(`answer to something else: ${JSON.stringify(response.body.slice(0, 80))}`)
  }
  checkService(request, pod)
  return { pod, reusable: !request.fresh && response.headers.get('connection')?.[0] !== 'close' }
}

function textOf({ id, kind, target, fresh }: LoadRequest, body: string): string {
  const fields = `Host: ${target.host}\r\n${fresh ? 'Connection: close\r\n' : ''}`
  const path = targetOf(target.path, kind, id)
  if (kind === 'post') return `POST ${path} HTTP/1.1\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`
  if (kind !== 'post-chunked') return `GET ${path} HTTP/1.1\r\n${fields}\r\n`
  const half = Math.floor(body.length / 2)
  const chunks = [body.slice(0, half), body.slice(half)].map(piece => `${piece.length.toString(16)}\r\n${piece}\r\n`)
  return `POST ${path} HTTP/1.1\r\n${fields}Transfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`
}

async function performUpgrade(
  request: LoadRequest,
  { client }: LoadConnection,
): Promise<{ readonly pod: string; readonly reusable: boolean }> {
  const { id, target } = request
  const upgrade =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
  client.get(target.host, targetOf(target.path, 'websocket', id), upgrade)
  const response = await client.response()
  if (response.status !== 101) throw new Error(`status ${response.status}`)
  const pod = response.headers.get('x-pod')?.[0] ?? ''
  checkService(request, pod)
  for (let round = 0; round < websocketRounds; round++) {
    const text = frameText(id, round)
    client.send(frame(1, text, true))
    const echoed = await nextFrame(client)
    if (echoed !== text) throw new Error(`frame ${JSON.stringify(echoed)} instead of ${text}`)
  }
  client.send(frame(8, '\x03\xe8', true))
  await nextFrame(client)
  return { pod, reusable: false }
}

async function nextFrame(client: LoadConnection['client']): Promise<string> {
  while (true) {
    const taken = takeFrame(client.unread)
    if (taken !== undefined) {
      client.unread = client.unread.slice(taken.length)
      return taken.payload
    }
    if (client.ended) throw new Error('tunnel ended before a whole frame')
    await client.changed()
  }
}

function checkService(request: LoadRequest, pod: string): void {
  const allowed = [...request.services, ...request.target.services]
  if (!allowed.includes(serviceOf(pod))) throw new Error(`answer of ${pod}, not of ${allowed.join(' or ')}`)
}
