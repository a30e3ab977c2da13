import type { IssuedKeyPair } from '../../../src/certificates/generate.ts'
import type { Processes } from '../machine/processes.ts'

export type ContenderName = 'ours' | 'nginx' | 'haproxy' | 'caddy'

/** Where a program runs. */
export interface Place {
  /** Empty, and made for one start of one program. */
  readonly folder: string
  /** Processor to run on. */
  readonly core: number
}

/** What every contender is to do alike. */
export interface ProxySetup extends Place {
  /** Host names that are served, each on `/`. */
  readonly hosts: readonly string[]
  /** Ports of the endpoints behind `/`, in turn. */
  readonly backendPorts: readonly number[]
  /** Port of the endpoint behind `/upload` and `/ws` of the first host. */
  readonly sinkPort: number
  readonly keyPair: IssuedKeyPair
  readonly accessLog: boolean
}

export interface RunningProxy {
  readonly name: ContenderName
  readonly pid: number
  readonly httpPort: number
  readonly httpsPort: number
  /** Where the access log goes when it is on. */
  readonly accessLogFile: string
  readonly stop: () => Promise<void>
}

export interface Contender {
  readonly name: ContenderName
  /** What to install when it is missing. */
  readonly package: string
  /** Its version; undefined when it is not on the PATH. */
  readonly version: () => string | undefined
  readonly start: (setup: ProxySetup, processes: Processes) => Promise<RunningProxy>
}
