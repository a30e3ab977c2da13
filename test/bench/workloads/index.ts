import { accessLog } from './access-log.ts'
import { bodies1m, bodies100k, uploads } from './bodies.ts'
import { hosts } from './hosts.ts'
import { idleConnections } from './idle-connections.ts'
import { latency } from './latency.ts'
import { scale } from './scale.ts'
import { smallAnswers } from './small-answers.ts'
import { tlsHandshakes, tlsKeepAlive, tlsResumptions } from './tls.ts'
import { websocket } from './websocket.ts'
import type { Workload } from './workload.ts'

/** Every workload of `make bench`, in the order of its table: one row each, and nothing else to touch for a new one. */
export const workloads: readonly Workload[] = [
  smallAnswers,
  tlsKeepAlive,
  tlsHandshakes,
  tlsResumptions,
  bodies1m,
  bodies100k,
  uploads,
  hosts,
  latency,
  websocket,
  accessLog,
  idleConnections,
  scale,
]
