import { closeSync, openSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type Processes, type Started, waitFor } from '../machine/processes.ts'
import type { ContenderName, Place, RunningProxy } from './contender.ts'
import { withSystemPrograms } from './program-version.ts'

export interface ProxyProgram {
  readonly name: ContenderName
  readonly command: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly httpPort: number
  readonly httpsPort: number
  /** Where the program writes its access log by itself; else it goes to stdout. */
  readonly accessLogFile?: string
}

/** Starts a program that listens on ports chosen beforehand, and waits until it does. */
export async function startProxy(program: ProxyProgram, place: Place, processes: Processes): Promise<RunningProxy> {
  const { name, httpPort, httpsPort } = program
  const started = startLogged(program, place, processes)
  for (const port of [httpPort, httpsPort]) {
    await waitFor(started, stderrFile(place), async () => ((await accepts(port)) ? true : undefined))
  }
  return {
    name,
    pid: started.pid,
    httpPort,
    httpsPort,
    accessLogFile: program.accessLogFile ?? stdoutFile(place),
    stop: () => processes.stop(started),
  }
}

/** Its stdout and stderr go to files, opened to append so that they may be emptied meanwhile. */
export function startLogged(
  program: Pick<ProxyProgram, 'command' | 'environment'>,
  place: Place,
  processes: Processes,
): Started {
  const files = [stdoutFile(place), stderrFile(place)].map(file => openSync(file, 'a'))
  const started = processes.start(place.core, program.command, {
    cwd: place.folder,
    env: { ...withSystemPrograms(), ...program.environment },
    stdio: ['ignore', ...files],
  })
  for (const file of files) closeSync(file)
  return started
}

export function stdoutFile({ folder }: Pick<Place, 'folder'>): string {
  return join(folder, 'stdout')
}

export function stderrFile({ folder }: Pick<Place, 'folder'>): string {
  return join(folder, 'stderr')
}

async function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
