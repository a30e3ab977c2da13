import { mkdtempSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { generateSelfSigned } from '../../../src/certificates/generate.ts'
import type { ContenderName, RunningProxy } from '../contenders/contender.ts'
import { contenders } from '../contenders/index.ts'
import { startBackend } from '../load/backend.ts'
import { holdGenerator } from '../load/run-generator.ts'
import type { Bench } from './workload.ts'

/** One proxy of a workload: a contender, and how it is set up where that is not as usual. */
export interface Arm {
  /** As in the tables: the contender's name where a workload has it once. */
  readonly label: string
  readonly contender: ContenderName
  readonly hosts?: readonly string[]
  readonly accessLog?: boolean
}

export interface Fleet {
  readonly proxies: ReadonlyMap<string, RunningProxy>
  readonly backendPorts: readonly number[]
}

export const usualHosts = ['localhost'] as const

export function armPerContender(bench: Bench): readonly Arm[] {
  return bench.contenders.map(name => ({ label: name, contender: name }))
}

/** Starts the backends and all proxies side by side, and ends them after `use`. */
export async function withFleet<Result>(
  bench: Bench,
  arms: readonly Arm[],
  use: (fleet: Fleet) => Promise<Result>,
): Promise<Result> {
  const { cores, processes, folder } = bench
  const backend = await startBackend(mkdtempSync(join(folder, 'backend-')), cores.backend, processes)
  const sink = await holdGenerator('sink', {}, { core: cores.backend, processes })
  const keyPair = await generateSelfSigned({ hosts: usualHosts, now: new Date() })
  const proxies = new Map<string, RunningProxy>()
  try {
    for (const { label, contender, hosts = usualHosts, accessLog = false } of arms) {
      const setup = {
        folder: mkdtempSync(join(folder, `${contender}-`)),
        core: cores.proxy,
        hosts,
        backendPorts: backend.ports,
        sinkPort: sink.ready.port,
        keyPair,
        accessLog,
      }
      proxies.set(label, await contenders[contender].start(setup, processes))
    }
    return await use({ proxies, backendPorts: backend.ports })
  } finally {
    await Promise.all([...[...proxies.values()].map(proxy => proxy.stop()), backend.stop(), sink.release()])
  }
}

/** Empties the access log, so that no workload fills the disk. */
export function emptyAccessLog({ accessLogFile }: RunningProxy): void {
  try {
    truncateSync(accessLogFile)
  } catch {
    // It writes none.
  }
}
