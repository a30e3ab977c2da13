/** What tests and the client program (client.ts) say to each other: one JSON value a line. */

export interface RequestOptions {
  readonly url: string
  /** Where to connect instead of the host of the URL, as curl's --connect-to: an address, or address:port. */
  readonly connectTo?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly followRedirects?: boolean
  /** Trusted certificates in PEM. When absent the certificate is not verified. */
  readonly ca?: string
  readonly timeoutMs?: number
}

export interface ReceivedResponse {
  readonly status: number
  readonly httpVersion: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
  /** Subject alternative names of the certificate, as in `DNS:a.example`; absent over plain HTTP. */
  readonly certificateNames?: string
}

export interface LoadOptions {
  readonly requests: readonly RequestOptions[]
  /** Requests in flight at a time. */
  readonly concurrency: number
  /** Pause of each of them between two requests. */
  readonly pauseMs: number
  /** A connection for each request, or connections kept open. */
  readonly connections: 'new' | 'kept'
}

export interface LoadReport {
  readonly sent: number
  readonly failed: number
  /** The first failures, in words. */
  readonly failures: readonly string[]
  readonly pods: Readonly<Record<string, PodSightings>>
}

/** When answers of a pod came, in milliseconds since the epoch. */
export interface PodSightings {
  readonly answers: number
  readonly firstMs: number
  readonly lastMs: number
}

export type ClientCommand =
  | { readonly id: number; readonly command: 'request'; readonly request: RequestOptions }
  | { readonly id: number; readonly command: 'start-load'; readonly load: LoadOptions }
  | { readonly id: number; readonly command: 'report-load'; readonly loadId: number }
  | { readonly id: number; readonly command: 'stop-load'; readonly loadId: number }

export type ClientAnswer =
  | { readonly id: number; readonly response: ReceivedResponse }
  | { readonly id: number; readonly report: LoadReport }
  | { readonly id: number; readonly error: string }
