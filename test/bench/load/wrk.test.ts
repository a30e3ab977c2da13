import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { programVersion } from '../contenders/program-version.ts'
import { chooseCores } from '../machine/cores.ts'
import { Processes } from '../machine/processes.ts'
import { CountingServer, reply } from './counting-server.ts'
import { runWrk } from './wrk.ts'

const isInstalled = programVersion(['wrk', '-v'], /^wrk (\S+)/) !== undefined

/** wrk and the open-loop generator are asked the same: how many requests reached the server, and how many failed. */
test.runIf(isInstalled)('what wrk says agrees with what the server counts', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ingress-fleet-wrk-'))
  try {
    await using server = await CountingServer.start((id, count) =>
      count % 10 === 0 ? reply(id).replace('200 OK', '503 Busy') : reply(id),
    )
    const url = `http://127.0.0.1:${server.port}/`
    const run = { url, core: chooseCores().load, folder, seconds: 1, connections: 4, bodyBytes: 0 }
    const result = await runWrk({ ...run, hosts: ['one.example', 'other.example'] }, new Processes())
    // Those under way at the end are not counted by wrk.
    expect(server.requests - result.requests).toBeGreaterThanOrEqual(0)
    expect(server.requests - result.requests).toBeLessThanOrEqual(4)
    expect(result.failures).toMatchObject({ connect: 0, read: 0, write: 0, timeout: 0 })
    expect(Math.abs(result.failures.status - result.requests / 10)).toBeLessThanOrEqual(4)
    expect(result.bytes).toBeGreaterThan(result.requests * reply('').length - 1)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
