import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

/** One case of `cases` in test/cases/http1.yaml; the head of that file explains the keys. */
export interface RequestCase {
  readonly id: string
  readonly group: string
  readonly raw?: string
  readonly parts?: readonly { readonly send: string; readonly wait_ms: number }[]
  readonly expect: 'reject' | 'forward' | 'incomplete' | 'close'
  readonly status?: readonly number[]
  readonly close?: 'must'
  readonly never?: readonly string[]
  readonly up?: UpstreamExpectation
}

export interface UpstreamExpectation {
  readonly requests?: number
  readonly requests_min?: number
  readonly method?: string
  readonly target?: string
  readonly targets?: readonly string[]
  readonly host?: string
  readonly version?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly headers_all?: Readonly<Record<string, readonly string[]>>
  readonly present?: readonly string[]
  readonly absent?: readonly string[]
  readonly raw_absent?: readonly string[]
  readonly framing?: 'none'
  readonly xff_trusted_only?: boolean
}

export interface ResponseCase {
  readonly id: string
  readonly request: string
  readonly upstream_sends: string
  readonly expect: 'relay' | 'truncate' | 'retry' | '502' | '504'
  readonly status?: readonly number[]
  readonly client?: {
    readonly status?: number
    readonly body?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly headers_all?: Readonly<Record<string, readonly string[]>>
    readonly present?: readonly string[]
    readonly absent?: readonly string[]
  }
  readonly upstream_reuse: 'yes' | 'no' | 'any'
}

export interface CaseFile {
  readonly cases: readonly RequestCase[]
  readonly response_cases: readonly ResponseCase[]
}

export function readCases(): CaseFile {
  return parse(readFileSync(new URL('../cases/http1.yaml', import.meta.url), 'utf8')) as CaseFile
}

/** The octets that a string of the case file stands for. */
export function octetsOf(text: string): Buffer {
  return Buffer.from(expanded(text), 'latin1')
}

/** What a request case sends, whole. */
export function sentBy(requestCase: RequestCase): Buffer {
  if (requestCase.raw !== undefined) return octetsOf(requestCase.raw)
  return Buffer.concat((requestCase.parts ?? []).map(part => octetsOf(part.send)))
}

/** `{{rep:TEXT:N}}` is TEXT N times; a backslash and a letter in TEXT mean CR or LF. */
function expanded(text: string): string {
  return text.replace(/\{\{rep:(.*?):(\d+)\}\}/gs, (_, repeated: string, count: string) =>
    repeated.replaceAll('\\r', '\r').replaceAll('\\n', '\n').repeat(Number(count)),
  )
}
