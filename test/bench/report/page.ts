import { join } from 'node:path'
import { type Results, readResults, type WorkloadResult } from './results.ts'
import { markdownTable, measurementTable, ratioTable, requirementTable } from './table.ts'

export const pageFile = join(import.meta.dirname, '../../../docs/benchmarks.md')

const notice = '<!-- Generated from test/bench/results/latest.json by `make generate`. Do not edit. -->'

const method = `## Method

\`make bench\` measures the built proxy (\`ingress-fleet serve\` with one data worker) beside nginx, HAProxy and Caddy as the machine's packages bring them, and prints this page anew. \`make bench ONLY=small,tls\` runs some of the workloads, \`make bench QUICK=1\` one short block of each, for a first look: it writes nothing.

- The proxies share one processor, of which only one works at a time; generator and backend (nginx, which answers from memory) have another. Everything is on 127.0.0.1.
- Every proxy has one worker or thread, keeps its connections to the backend, adds the same header fields to requests (\`X-Request-ID\`, \`X-Real-IP\`, \`X-Forwarded-*\`, \`X-Scheme\`), writes no access log but where that is measured, streams bodies without spooling them to disk, and has the same ECDSA P-256 certificate with TLS 1.3, X25519 and AES-128-GCM. nginx finds a server by its hash of names, HAProxy by a map, Caddy by its sorted list of hosts.
- CPU time is the kernel's count for all threads and processes of a proxy (\`schedstat\`), divided by what was done meanwhile: it holds whatever else the processor did.
- Contenders are measured in turn and back again (A B B A) within a block. A ratio is taken within a block; tables show the median over blocks and, in brackets, the lowest and the highest; "95 %" is a bootstrap interval of the median, which with few blocks is a hint only.
- Ours is warmed up for some seconds first, because it is compiled while it runs.
- \`wrk\` gives cost and throughput (closed loop). Latency comes from an open-loop generator: requests are due by a schedule, latency counts from when a request was due, and every answer is checked to belong to its request. "No proxy" is the backend asked directly, and "sent late" how late the generator itself was: both are a floor for what can be seen.
- Nothing here is a test: no figure makes a build fail.
`

/** The page of results; without any it says how to get them. */
export function benchmarksPage(results: Results | undefined = readResults()): string {
  const parts = ['# Benchmarks', notice]
  if (results === undefined) parts.push('No results have been recorded yet: run `make bench`.', method)
  else parts.push(requirementsPart(results), machinePart(results), method, ...results.workloads.map(workloadPart))
  return `${parts.map(part => part.trim()).join('\n\n')}\n`
}

function requirementsPart({ workloads }: Results): string {
  const requirements = workloads.flatMap(workload => workload.requirements)
  return `What shall be reached, at least and at best, and what was measured. Ratios are ours to the other's: lower is better.

${markdownTable(requirementTable(requirements))}`
}

function machinePart({ machine, workloads }: Results): string {
  const days = [...new Set(workloads.map(({ day }) => day))].sort()
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`)
  const stolen = Math.max(0, ...workloads.map(workload => workload.stolenPercent))
  return `## Machine

${markdownTable([
  ['', ''],
  ['processors', `${machine.processors} × ${machine.model}`],
  ['memory', `${machine.memoryGiB} GiB`],
  ['system', `${machine.distribution}, Linux ${machine.kernel}`],
  ['programs', versions.join(', ')],
  ['measured on', days.join(', ')],
  ['stolen by other guests of the host', `${stolen} % of processor time at most`],
])}`
}

function workloadPart({ name, what, figures }: WorkloadResult): string {
  const { failures, remarks, ratios } = figures
  const failed = failures.map(({ contender, count, what: kind }) => `- ${contender}: ${count} × ${kind}`)
  return [
    `## ${name}`,
    what,
    markdownTable(measurementTable(figures)),
    ...(ratios.length > 0 ? [markdownTable(ratioTable(figures))] : []),
    ...remarks,
    failed.length === 0 ? 'No request failed.' : `Failed:\n\n${failed.join('\n')}`,
  ].join('\n\n')
}
