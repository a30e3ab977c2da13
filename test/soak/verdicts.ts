import type { ClosingPodsReport } from './closing-pods.ts'
import type { Failure } from './load-client.ts'
import type { SoakReport } from './soak-run.ts'
import type { WorkerLoss, ZeroLossPlan, ZeroLossReport } from './zero-loss.ts'

/** What is worth telling of a run, and what should not have been: a run without faults has passed. */
export interface Verdict {
  readonly facts: readonly string[]
  readonly faults: readonly string[]
}

const maxShown = 10

export function judgeZeroLoss(plan: ZeroLossPlan, report: ZeroLossReport): Verdict {
  const { losses, changes, connections, exitCodes } = report
  const sum = (of: (loss: WorkerLoss) => number): number => losses.reduce((total, loss) => total + of(loss), 0)
  return {
    facts: [
      `${report.sent} requests in ${Math.round(report.elapsedMs / 1_000)} s, answered: ${JSON.stringify(report.answered)}`,
      `${connections.opened} connections, ${connections.handshakes} handshakes, ${connections.resumed} of them resumed`,
      `${changes.endpoints} endpoint changes, ${changes.routes} route changes, ${changes.certificates} certificates`,
      `${exitCodes.length} restarts, exit codes ${[...new Set(exitCodes)].join(' ')}`,
      `${losses.length} workers killed: ${sum(one => one.countedByProxy)} requests lost by the proxy's count; ` +
        `${sum(one => one.failed.length)} failed on their connections, ${sum(one => one.reachedPod)} of these had ` +
        `reached a pod; ${sum(one => one.unaccepted.length)} waited to be accepted`,
      `latency ${report.latencies}`,
    ],
    faults: [
      ...report.failures.map(describe),
      ...report.notOnce.map(id => `request ${id} did not reach exactly one pod exactly once`),
      ...losses.flatMap(faultsOfLoss),
      ...report.complaints.map(line => `the log complains: ${JSON.stringify(line)}`),
      ...exitCodes.filter(code => code !== 0).map(code => `an instance ended with ${code}`),
      ...unequal('connections cut by drains', report.cutConnections, 0),
      ...unequal('workers killed', losses.length, plan.workerKills),
      ...unequal('restarts', exitCodes.length, plan.restarts),
      ...unequal('endpoint changes', changes.endpoints, plan.endpointChanges),
      ...unequal('route changes', changes.routes, plan.routeChanges),
      ...unequal('certificate swaps', changes.certificates, plan.certificateSwaps),
    ].slice(0, maxShown),
  }
}

/**
 * Answers that a worker had handed over to the kernel, so that it counted them no more, and that went down with their
 * connection: a kill with something unread in it resets it.
 */
const maxHandedOver = 2

/**
 * A request that had reached a pod was in flight in the worker; what was in flight in the worker failed. Between the
 * two are those that the kernel held for a worker which had not read them.
 */
function faultsOfLoss({ countedByProxy, failed, reachedPod, endedTunnels }: WorkerLoss): readonly string[] {
  if (reachedPod <= countedByProxy + maxHandedOver && countedByProxy <= failed.length + endedTunnels) return []
  return [
    `the proxy counts ${countedByProxy} requests lost with a worker; the client ${failed.length}, of which ` +
      `${reachedPod} had reached a pod`,
  ]
}

export function judgeClosingPods(report: ClosingPodsReport): Verdict {
  return {
    facts: [
      `${report.sent} requests, ${report.retries} second attempts`,
      `${report.posts} requests that must not be repeated, ${report.failedPosts.length} of them failed with 502`,
      `latency ${report.latencies}`,
    ],
    faults: [
      ...report.failures.map(describe),
      ...report.notOnce.map(id => `request ${id} did not reach exactly one pod exactly once`),
      ...(report.retries > 0 ? [] : ['no second attempt was made, so nothing was tried']),
      ...report.complaints.map(line => `the log complains: ${JSON.stringify(line)}`),
    ].slice(0, maxShown),
  }
}

/** `maxGrowth` of memory, 0.03 is 3 %; undefined where the run is too short to say. */
export function judgeSoak(report: SoakReport, maxGrowth: number | undefined): Verdict {
  const percent = (share: number | undefined): string =>
    share === undefined ? 'unknown' : `${(share * 100).toFixed(2)} %`
  const megabytes = (bytes: number): string => (bytes / 1_048_576).toFixed(0)
  const { residentGrowth, liveHeapGrowth, fileDescriptors, changes } = report
  const tooMuch = maxGrowth !== undefined && !(residentGrowth !== undefined && residentGrowth <= maxGrowth)
  return {
    facts: [
      `${report.sent} requests; ${changes.endpoints} endpoint changes, ${changes.routes} route changes, ${changes.certificates} certificates`,
      `growth of resident memory ${percent(residentGrowth)}, of the live heap ${percent(liveHeapGrowth)}; ` +
        `resident ${megabytes(report.residentBytes.least)} to ${megabytes(report.residentBytes.most)} MiB`,
      `file descriptors ${fileDescriptors.before} before, ${fileDescriptors.after} after`,
      `left at the end: ${JSON.stringify(report.left)}`,
      `latency ${report.latencies}`,
    ],
    faults: [
      ...report.failures.map(describe),
      ...(tooMuch ? [`resident memory grew by ${percent(residentGrowth)}, more than ${percent(maxGrowth)}`] : []),
      ...Object.entries(report.left).flatMap(([name, value]) => unequal(`${name} at the end`, value, 0)),
      ...(fileDescriptors.after > fileDescriptors.before
        ? [`${fileDescriptors.after} file descriptors after, ${fileDescriptors.before} before`]
        : []),
      ...unequal('workers lost', report.workersLost, 0),
      ...report.complaints.map(line => `the log complains: ${JSON.stringify(line)}`),
    ].slice(0, maxShown),
  }
}

function unequal(what: string, is: number, wanted: number): readonly string[] {
  return is === wanted ? [] : [`${what}: ${is}, not ${wanted}`]
}

function describe(failure: Failure): string {
  return `request failed: ${JSON.stringify(failure)}`
}
