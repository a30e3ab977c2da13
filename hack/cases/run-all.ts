import { generateSelfSigned } from '../../src/certificates/generate.ts'
import type { Case, ListenerName, RequestCase, ResponseCase } from './case-file.ts'
import { judgeRequestCase } from './judge-request-case.ts'
import { judgeResponseCase } from './judge-response-case.ts'
import { hosts, type Temper } from './manifests.ts'
import { longWaitMs, runRequestCase } from './run-request-case.ts'
import { runResponseCase } from './run-response-case.ts'
import { Stage } from './stage.ts'
import type { Verdict } from './verdict.ts'

export interface RunOptions {
  readonly listeners: readonly ListenerName[]
  /** Count an outcome that the case lists as allowed (`alt`) as passed. */
  readonly lenient: boolean
  /** Told after every case. */
  readonly onResult: (result: CaseResult) => void
  /** No case is begun after it. */
  readonly signal: AbortSignal
}

export interface CaseResult {
  readonly id: string
  readonly group: string
  readonly level: string
  readonly rfc: string
  readonly why: string
  readonly listener: ListenerName | 'none'
  readonly status: 'passed' | 'failed' | 'skipped'
  /** The outcome is not the one expected but allowed by the case (`alt`). */
  readonly allowed: boolean
  readonly hard: boolean
  readonly expected: string
  readonly came: string
  readonly reasons: readonly string[]
}

interface Task {
  readonly one: RequestCase | ResponseCase
  readonly listener: ListenerName
}

/** Most proxies that run cases at the same time; a few cases are done sooner by one. */
const mostLanes = 4
const casesWorthALane = 20

/** Runs every case on every listener asked for; the order of the results is that of their end. */
export async function runAll(cases: readonly Case[], options: RunOptions): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = []
  const add = (result: CaseResult): void => {
    results.push(result)
    options.onResult(result)
  }
  const tasks: Record<Temper, Task[]> = { patient: [], hasty: [] }
  for (const one of cases) {
    if (one.kind === 'unrun') add(unrunResult(one))
    else
      for (const listener of options.listeners)
        if (isAbout(one, listener)) tasks[temperFor(one)].push({ one, listener })
  }
  const keyPair = await generateSelfSigned({ hosts, now: new Date() })
  const lane = async (temper: Temper): Promise<void> => {
    if (tasks[temper].length === 0) return
    const stage = await Stage.start({ temper, keyPair })
    try {
      for (let task = tasks[temper].shift(); task !== undefined; task = tasks[temper].shift()) {
        options.signal.throwIfAborted()
        add(await runTask(stage, task, options))
      }
    } finally {
      await stage.close()
    }
  }
  const laneCount = Math.min(mostLanes, Math.ceil(tasks.patient.length / casesWorthALane))
  const lanes = Array.from({ length: laneCount }, () => lane('patient'))
  const ended = await Promise.allSettled([...lanes, lane('hasty')])
  for (const one of ended) if (one.status === 'rejected') throw one.reason
  return results
}

/** Whether the case is to be run on this listener. */
export function isAbout(one: RequestCase | ResponseCase, listener: ListenerName): boolean {
  return one.kind === 'response' || one.listener === undefined || one.listener === listener
}

/** A case that waits for a timeout of the proxy meets one whose timeouts are short. */
function temperFor(one: RequestCase | ResponseCase): Temper {
  const waits = one.kind === 'request' ? one.parts.some(({ waitMs }) => waitMs > longWaitMs) : one.script.stalls
  return waits ? 'hasty' : 'patient'
}

async function runTask(stage: Stage, { one, listener }: Task, options: RunOptions): Promise<CaseResult> {
  let verdict: Verdict
  try {
    await stage.reset()
    verdict =
      one.kind === 'request'
        ? judgeRequestCase(one, await runRequestCase(stage, one, listener))
        : judgeResponseCase(one, await runResponseCase(stage, one, listener))
  } catch (error) {
    const reason = stage.crash ?? (error instanceof Error ? error.message : String(error))
    verdict = { status: 'failed', hard: true, reasons: [reason], came: 'the case could not be run to its end' }
  }
  const passed = verdict.status === 'passed' || (options.lenient && verdict.status === 'allowed')
  return {
    ...textOf(one),
    listener,
    status: passed ? 'passed' : 'failed',
    allowed: verdict.status === 'allowed',
    hard: verdict.hard,
    expected: expectationOf(one),
    came: verdict.came,
    reasons: verdict.reasons,
  }
}

function unrunResult(one: Extract<Case, { kind: 'unrun' }>): CaseResult {
  return {
    ...textOf(one),
    listener: 'none',
    status: one.failed ? 'failed' : 'skipped',
    allowed: false,
    hard: false,
    expected: '',
    came: '',
    reasons: [one.reason],
  }
}

function textOf({ id, group, level, rfc, why }: Case): Pick<CaseResult, 'id' | 'group' | 'level' | 'rfc' | 'why'> {
  return { id, group, level, rfc, why }
}

function expectationOf(one: RequestCase | ResponseCase): string {
  const words = [one.status.length > 0 ? `${one.expect} ${one.status.join('/')}` : one.expect]
  const conditions = one.kind === 'request' ? one.up : one.client
  if (Object.keys(conditions).length > 0) words.push(JSON.stringify(conditions))
  if (one.kind === 'request' && one.mustClose) words.push('and close')
  if (one.kind === 'response') words.push(`upstream reuse ${one.upstreamReuse}`)
  return words.join(' ')
}
