import type { CaseResult } from './run-all.ts'

export interface Count {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export function count(results: readonly CaseResult[]): Count {
  const of = (status: CaseResult['status']): number => results.filter(one => one.status === status).length
  return { passed: of('passed'), failed: of('failed'), skipped: of('skipped') }
}

/** One failed case as one line: what was expected, what came, where it differs, and why that matters. */
export function failureLine(one: CaseResult): string {
  const weight = one.hard ? ' HARD FAILURE' : one.allowed ? ' allowed by alt' : ''
  const parts = [
    `FAILED ${one.id} [${one.listener}] ${one.group}, ${one.level}, RFC ${one.rfc}${weight}`,
    `expected ${one.expected}`,
    one.came,
    one.reasons.join('; '),
    one.why,
  ]
  return parts.filter(Boolean).join(' | ')
}

/** A line for each group and each reason of skipping, then the count. */
export function summaryLines(results: readonly CaseResult[]): readonly string[] {
  const groups = [...new Set(results.map(one => one.group))].map(group => {
    const { passed, failed, skipped } = count(results.filter(one => one.group === group))
    return `${group.padEnd(20)} ${countText({ passed, failed, skipped })}`
  })
  const skipped = results.filter(one => one.status === 'skipped')
  const reasons = [...new Set(skipped.map(one => one.reasons.join('; ')))].map(reason => {
    return `skipped ${skipped.filter(one => one.reasons.join('; ') === reason).length}: ${reason}`
  })
  return [...groups, ...reasons, countText(count(results))]
}

function countText({ passed, failed, skipped }: Count): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}
