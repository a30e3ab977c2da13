import { spawn } from 'node:child_process'
import { join } from 'node:path'

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** Name by which the program is called; `ingress-fleet` when absent. */
  readonly script?: string
  readonly input?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Options of Node itself. */
  readonly nodeOptions?: readonly string[]
}

export const entry = join(import.meta.dirname, '../../src/cli/entry.ts')

/** Runs the program as a process of its own until it ends. */
export async function run(words: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { script = entry, input = '', environment = {}, nodeOptions = [] } = options
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env
  const child = spawn(process.execPath, [...nodeOptions, script, ...words], {
    env: { PATH, HOME, NODE_COMPILE_CACHE, ...environment },
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin.on('error', () => {}).end(input)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => resolve({ code, stdout, stderr }))
  })
}
