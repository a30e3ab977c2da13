import type { Delta } from '../routing/model.ts'

/** What the control thread and a data worker say to each other. All of it is plain data that `structuredClone` carries. */

/** Ports as clients see them (the Service's), for X-Forwarded-Port. */
export interface ForwardedPorts {
  readonly http: number
  readonly https: number
}

/** Ports that the listeners have. */
export interface ProxyPorts {
  readonly httpPort: number
  readonly httpsPort: number
}

/** Given to the thread of a worker, which loads its code and waits. */
export interface WorkerIdentity {
  readonly index: number
}

/** Given to a worker when it starts: it applies `state` before it listens, so it never serves an empty table. */
export interface WorkerConfiguration {
  readonly index: number
  readonly address: string
  /** 0 for the first worker of a proxy that may choose. */
  readonly httpPort: number
  readonly httpsPort: number
  readonly forwardedPorts: ForwardedPorts
  readonly allowLoopbackEndpoints: boolean
  /** The whole table, as the delta from nothing. */
  readonly state: Delta
  readonly counters: SharedArrayBuffer
  /** The process is over its high-water mark of memory. */
  readonly memoryIsOver: boolean
  /** 48 bytes that every worker shares, and every replica that has the same file: a session resumes with any of them. */
  readonly ticketKeys: Uint8Array
}

export type ToWorker =
  /** The first message; what comes before it is not heeded. */
  | { readonly type: 'start'; readonly configuration: WorkerConfiguration }
  | { readonly type: 'delta'; readonly delta: Delta }
  /** For tickets from now on; those of the keys before are no longer read. */
  | { readonly type: 'ticket-keys'; readonly keys: Uint8Array }
  /** A batch of the access log has been written: another may come. */
  | { readonly type: 'log-written' }
  | { readonly type: 'list-backends'; readonly request: number }
  | { readonly type: 'memory'; readonly isOver: boolean }
  /** Answer with `Connection: close` from now on, go on accepting. */
  | { readonly type: 'lame-duck' }
  /** Accept what is queued, stop accepting, finish what is in flight within `graceMs`. */
  | { readonly type: 'stop'; readonly graceMs: number }

export type FromWorker =
  | { readonly type: 'listening'; readonly httpPort: number; readonly httpsPort: number }
  | { readonly type: 'serving'; readonly revision: number }
  | { readonly type: 'log'; readonly text: string }
  | { readonly type: 'backends'; readonly request: number; readonly backends: readonly HeldBackend[] }
  /** Every listener closed and every connection gone. `destroyed` counts those that had to be cut. */
  | { readonly type: 'stopped'; readonly destroyed: number }
  | { readonly type: 'event'; readonly event: WorkerEvent; readonly fields: Readonly<Record<string, string | number>> }

/** Constant messages of the log lines that workers ask for. */
export const workerEvents = {
  certificateRejected: 'certificate could not be loaded, the default certificate is served instead',
  tlsParametersRejected:
    'TLS versions, suites or curves could not be loaded, those before are served instead, at start those of the Modern profile',
  requestFailed: 'request ended by an unexpected error, its connection is closed',
  listenerFailed: 'listener failed',
  heapOver: 'heap of a data worker over its high-water mark, new requests get 503',
  heapUnder: 'heap of a data worker under its low-water mark, requests are served again',
} as const

export type WorkerEvent = keyof typeof workerEvents

/**
 * A backend as a worker holds it, in the JSON shape of ingress-nginx's `/configuration/backends` (its field names and
 * letter case), of which these parts are served.
 */
export interface HeldBackend {
  /** `namespace-service-port`; `upstream-default-backend` is the built-in 404. */
  readonly name: string
  readonly service?: { readonly metadata: { readonly namespace: string; readonly name: string } }
  readonly port: string
  readonly sslPassthrough: boolean
  readonly endpoints: readonly { readonly address: string; readonly port: string }[]
  readonly sessionAffinityConfig: {
    readonly name: string
    readonly mode: string
    readonly cookieSessionAffinity: { readonly name: string; readonly locations?: object }
  }
  readonly upstreamHashByConfig: {
    readonly 'upstream-hash-by'?: string
    readonly 'upstream-hash-by-subset'?: boolean
    readonly 'upstream-hash-by-subset-size': number
  }
  readonly 'load-balance': string
  readonly noServer: boolean
  readonly trafficShapingPolicy: {
    readonly weight: number
    readonly weightTotal: number
    readonly header: string
    readonly headerValue: string
    readonly headerPattern: string
    readonly cookie: string
  }
}
