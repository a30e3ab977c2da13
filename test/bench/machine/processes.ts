import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { processTree } from './process-tree.ts'

const stopTimeoutMs = 4000
const pollMs = 20
const startTimeoutMs = 60_000

export interface Started {
  readonly child: ChildProcess
  readonly pid: number
}

/** Every process of a benchmark. Whatever happens, the end of it is the end of them. */
export class Processes {
  readonly #children = new Set<ChildProcess>()

  constructor() {
    // The last thing that runs, after an error too.
    process.on('exit', () => this.killAll())
  }

  /** Starts a program on one processor; `command[0]` is found on the PATH. */
  start(core: number, command: readonly string[], options: SpawnOptions): Started {
    const child = spawn('taskset', ['-c', String(core), ...command], options)
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    child.once('error', () => this.#children.delete(child))
    if (child.pid === undefined) throw new Error(`starting ${command[0]}: taskset is missing; install util-linux`)
    return { child, pid: child.pid }
  }

  /** Ends it and what it started, by force when it takes long. */
  async stop({ child, pid }: Started): Promise<void> {
    if (!isRunning(child)) return
    const tree = processTree(pid)
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    const ended = await Promise.race([exited.then(() => true), delay(stopTimeoutMs, false, { ref: false })])
    for (const one of tree) if (!ended || one !== pid) kill(one)
    await exited
  }

  killAll(): void {
    for (const { pid } of this.#children) if (pid !== undefined) for (const one of processTree(pid)) kill(one)
    this.#children.clear()
  }
}

/** Looks again and again until `look` finds something; says what the process wrote when it ends before. */
export async function waitFor<Found>(
  started: Started,
  logFile: string,
  look: () => Promise<Found | undefined>,
): Promise<Found> {
  const deadline = performance.now() + startTimeoutMs
  while (performance.now() < deadline) {
    const found = await look()
    if (found !== undefined) return found
    if (!isRunning(started.child)) break
    await delay(pollMs)
  }
  const state = isRunning(started.child) ? `is not ready after ${startTimeoutMs / 1000} s` : 'ended'
  throw new Error(
    `${started.child.spawnargs.slice(3).join(' ')} ${state}:\n${readFileSync(logFile, 'utf8').slice(-2000)}`,
  )
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
