import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { withSystemPrograms } from '../contenders/program-version.ts'
import type { Processes } from '../machine/processes.ts'

export interface WrkRun {
  readonly url: string
  readonly core: number
  readonly folder: string
  readonly seconds: number
  readonly connections: number
  /** Requests go to these hosts in turn. */
  readonly hosts: readonly string[]
  /** Octets of the body of each request, which is then a POST; 0 is GET without one. */
  readonly bodyBytes: number
}

export interface WrkResult {
  readonly requests: number
  readonly bytes: number
  readonly seconds: number
  /** By what went wrong; those that did not happen are 0. */
  readonly failures: Readonly<Record<'connect' | 'read' | 'write' | 'status' | 'timeout', number>>
}

/** Runs wrk, which asks again as soon as it is answered: for cost and capacity. Its latencies are not looked at. */
export async function runWrk(run: WrkRun, processes: Processes): Promise<WrkResult> {
  const script = join(run.folder, 'wrk.lua')
  writeFileSync(script, scriptOf(run))
  const options = ['-t', '1', '-c', String(run.connections), '-d', `${run.seconds}s`, '--timeout', '10s', '-s', script]
  const started = processes.start(run.core, ['wrk', ...options, run.url], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: withSystemPrograms(),
  })
  const { stdout, stderr } = started.child
  if (stdout === null || stderr === null) throw new Error('running wrk: it has no output')
  const [output, errors] = await Promise.all([text(stdout), text(stderr), once(started.child, 'exit')])
  const line = /^RESULT (.*)$/m.exec(output)?.[1]
  if (line === undefined) throw new Error(`running wrk against ${run.url}: it said\n${output}${errors}`)
  return JSON.parse(line) as WrkResult
}

/** wrk has no machine-readable output but what a script prints. */
function scriptOf({ hosts, bodyBytes }: WrkRun): string {
  const body = bodyBytes > 0 ? `wrk.method = 'POST'\nwrk.body = string.rep('x', ${bodyBytes})\n` : ''
  return `${body}wrk.headers['Host'] = '${hosts[0] ?? 'localhost'}'
${hosts.length > 1 ? inTurn(hosts) : ''}done = function(summary)
  local e = summary.errors
  io.write(string.format('RESULT {"requests":%d,"bytes":%d,"seconds":%.6f,"failures":' ..
    '{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}}\\n', summary.requests, summary.bytes,
    summary.duration / 1e6, e.connect, e.read, e.write, e.status, e.timeout))
end
`
}

function inTurn(hosts: readonly string[]): string {
  return `local hosts = {${hosts.map(host => `'${host}'`).join(',')}}
local requests, at = {}, 0
init = function()
  for index, host in ipairs(hosts) do
    wrk.headers['Host'] = host
    requests[index] = wrk.format()
  end
end
request = function()
  at = at % #requests + 1
  return requests[at]
end
`
}
