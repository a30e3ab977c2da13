import type { ProxySettings } from '../../api/settings.ts'
import type { RequestHead } from '../../http1/messages.ts'
import type { Host, Route } from '../../routing/model.ts'
import type { ProxyErrorCode } from '../errors.ts'
import type { TlsClient } from '../tls-client.ts'

/** What phases look at. */
export interface RequestFacts {
  readonly head: RequestHead
  /** The client came over TLS, or a trusted proxy in front says that its client did. */
  readonly secure: boolean
  /** Address of the connection, or what a trusted proxy in front says. */
  readonly clientAddress: string
  /** Undefined when the connection itself is without TLS. Asked for by hosts that judge client certificates only. */
  readonly tlsClient: TlsClient | undefined
  /** Host to name in redirects: without port; empty when the client named none. */
  readonly redirectHost: string
}

/** The proxy's own answer instead of the backend's. */
export interface Answer {
  readonly status: number
  readonly location?: string
  /** When it is worth asking again. */
  readonly retryAfterSeconds?: number
  /** Tell which methods are taken. */
  readonly allow?: boolean
  /** For people, in place of the status's name. */
  readonly text?: string
  /** For the counters; absent when nothing went wrong. */
  readonly error?: ProxyErrorCode
  /** End the client's connection after it. */
  readonly close?: boolean
}

export type PhaseCheck = (request: RequestFacts) => Answer | undefined

interface PhaseBinding {
  readonly host: Host
  readonly route: Route
  readonly settings: ProxySettings
}

export interface Phase {
  readonly name: string
  /** The check for a route, or undefined when the route needs none, so that it pays for what it uses only. */
  bind(binding: PhaseBinding): PhaseCheck | undefined
}
