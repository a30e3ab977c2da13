import { createRequire } from 'node:module'

/**
 * What llhttp, the parser of Node, reads in octets: only ever a judge of ours. It is asked directly and without any of
 * its leniencies, since `node:http` in front of it needs a connection for every answer.
 */

interface LlhttpMessage {
  readonly method: string
  readonly target: string
  /** 0 for requests. */
  readonly status: number
  readonly minorVersion: number
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: string
  readonly keepAlive: boolean
  readonly complete: boolean
}

export interface LlhttpReading {
  readonly messages: readonly LlhttpMessage[]
  /** Its name for what is wrong, such as `HPE_INVALID_METHOD`. */
  readonly fault: string | undefined
}

interface Parser {
  initialize(type: number, resource: object, maxHeaderBytes: number, lenient: number): void
  execute(octets: Buffer): number | (Error & { readonly code: string })
  finish(): undefined | (Error & { readonly code: string })
  close(): void
  [callback: number]: unknown
}

interface ParserClass {
  new (): Parser
  readonly REQUEST: number
  readonly RESPONSE: number
  readonly kLenientNone: number
  readonly kOnHeaders: number
  readonly kOnHeadersComplete: number
  readonly kOnBody: number
  readonly kOnMessageComplete: number
}

const { HTTPParser, methods } = createRequire(import.meta.url)('_http_common') as {
  readonly HTTPParser: ParserClass
  readonly methods: readonly string[]
}

/** Far beyond any limit of ours. */
const MAX_HEADER_BYTES = 4_194_304

/** Requests on one connection, which the client half-closes. */
export function requestsByLlhttp(octets: Buffer): LlhttpReading {
  const messages: LlhttpMessage[] = []
  let rest = octets
  while (rest.length > 0) {
    const run = new Run(HTTPParser.REQUEST, '')
    const outcome = run.read(rest)
    messages.push(...run.messages)
    // It ends HTTP at a request for an upgrade; unless that is granted, requests go on.
    if (outcome.fault !== undefined || !run.upgraded) return { messages, fault: outcome.fault }
    rest = rest.subarray(outcome.consumed)
  }
  return { messages, fault: undefined }
}

/** Responses to a request of `method`, one after the other, on a connection that the server then ends. */
export function responsesByLlhttp(octets: Buffer, method: string): LlhttpReading {
  const run = new Run(HTTPParser.RESPONSE, method)
  const { fault } = run.read(octets)
  return { messages: run.messages, fault }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** One parser and what it has told. */
class Run {
  readonly messages: LlhttpMessage[] = []
  upgraded = false
  readonly #parser = new HTTPParser()
  readonly #requestMethod: string
  #current: Writable<LlhttpMessage> | undefined
  #fields: string[] = []
  #target = ''

  constructor(type: number, requestMethod: string) {
    this.#requestMethod = requestMethod
    const parser = this.#parser
    parser.initialize(type, {}, MAX_HEADER_BYTES, HTTPParser.kLenientNone)
    // Many fields come in portions; trailers, too.
    parser[HTTPParser.kOnHeaders] = (fields: readonly string[], target: string): void => {
      if (this.#current !== undefined) return
      this.#fields.push(...fields)
      this.#target += target
    }
    parser[HTTPParser.kOnHeadersComplete] = (...told: readonly unknown[]): number => this.#onHead(told)
    parser[HTTPParser.kOnBody] = (data: Buffer): void => {
      if (this.#current !== undefined) this.#current.body += data.toString('latin1')
    }
    parser[HTTPParser.kOnMessageComplete] = (): void => {
      if (this.#current !== undefined) this.#current.complete = true
      this.#current = undefined
      this.#fields = []
      this.#target = ''
    }
  }

  read(octets: Buffer): { readonly consumed: number; readonly fault: string | undefined } {
    const result = this.#parser.execute(octets)
    const ended = typeof result === 'number' && !this.upgraded ? this.#parser.finish() : undefined
    this.#parser.close()
    if (typeof result !== 'number') return { consumed: 0, fault: result.code }
    return { consumed: result, fault: ended?.code }
  }

  #onHead(told: readonly unknown[]): number {
    const [, minor, fields, method, target, status, , upgrade, keepAlive] = told
    const all = [...this.#fields, ...((fields as readonly string[] | null) ?? [])]
    this.#current = {
      method: methods[method as number] ?? '',
      target: this.#target + (typeof target === 'string' ? target : ''),
      status: Number(status ?? 0),
      minorVersion: minor as number,
      fields: Array.from({ length: all.length / 2 }, (_, index) => [all[2 * index] ?? '', all[2 * index + 1] ?? '']),
      body: '',
      keepAlive: keepAlive === true,
      complete: false,
    }
    this.messages.push(this.#current)
    if (upgrade === true) this.upgraded = true
    return this.#requestMethod === 'HEAD' ? 1 : 0
  }
}
