import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Processes, Started } from '../machine/processes.ts'
import type { HandshakesOptions, HandshakesResult } from './handshakes.ts'
import type { IdleOptions } from './idle-connections.ts'
import type { OpenLoopOptions, OpenLoopResult } from './open-loop.ts'
import type { WebSocketOptions, WebSocketResult } from './websocket.ts'

/** Generators that run for a while and give a result. */
interface Generators {
  readonly 'open-loop': { readonly options: OpenLoopOptions; readonly result: OpenLoopResult }
  readonly handshakes: { readonly options: HandshakesOptions; readonly result: HandshakesResult }
  readonly websocket: { readonly options: WebSocketOptions; readonly result: WebSocketResult }
}

/** Those that stay until they are released. */
interface Holders {
  readonly idle: { readonly options: IdleOptions; readonly ready: { readonly open: number } }
  readonly sink: { readonly options: object; readonly ready: { readonly port: number } }
}

/** No generator is asked for so long: one that is not done by then never will be. */
const limitMs = 120_000

const file = join(import.meta.dirname, 'generate.ts')

/** Where generators run. */
export interface GeneratorPlace {
  readonly core: number
  readonly processes: Processes
}

export async function runGenerator<Name extends keyof Generators>(
  name: Name,
  options: Generators[Name]['options'],
  place: GeneratorPlace,
): Promise<Generators[Name]['result']> {
  const { lines, started } = start(name, options, place)
  const timer = setTimeout(() => started.child.kill('SIGKILL'), limitMs)
  try {
    const result = await nextLine(lines, name)
    if (started.child.exitCode === null) await once(started.child, 'exit')
    return result as Generators[Name]['result']
  } finally {
    clearTimeout(timer)
  }
}

export interface Held<Ready> {
  readonly ready: Ready
  /** Ends it, and gives what it says in the end, if anything. */
  readonly release: () => Promise<unknown>
}

export async function holdGenerator<Name extends keyof Holders>(
  name: Name,
  options: Holders[Name]['options'],
  place: GeneratorPlace,
): Promise<Held<Holders[Name]['ready']>> {
  const { lines, started } = start(name, options, place)
  const timer = setTimeout(() => started.child.kill('SIGKILL'), limitMs)
  const ready = (await nextLine(lines, name)) as Holders[Name]['ready']
  clearTimeout(timer)
  return {
    ready,
    release: async () => {
      started.child.stdin?.end()
      const { value } = await lines.next()
      if (started.child.exitCode === null) await once(started.child, 'exit')
      return value === undefined ? undefined : (JSON.parse(value) as unknown)
    },
  }
}

function start(name: string, options: object, { core, processes }: GeneratorPlace) {
  const command = [process.execPath, file, name, JSON.stringify(options)]
  const started: Started = processes.start(core, command, { stdio: ['pipe', 'pipe', 'inherit'] })
  const { stdout } = started.child
  if (stdout === null) throw new Error(`starting generator ${name}: it has no output`)
  const lines: AsyncIterator<string, undefined> = createInterface(stdout)[Symbol.asyncIterator]()
  return { lines, started }
}

async function nextLine(lines: AsyncIterator<string, undefined>, name: string): Promise<unknown> {
  const { value } = await lines.next()
  if (value === undefined) throw new Error(`generator ${name} ended without a result; what it said is above`)
  return JSON.parse(value)
}
