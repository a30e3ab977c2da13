// Runs case files against the built proxy: npm run cases -- FILE… [--only ID] [--listener clear|tls|both] [--lenient] [--json]
import { parseArgs } from 'node:util'
import { type ListenerName, readCaseFile } from './cases/case-file.ts'
import { count, failureLine, summaryLines } from './cases/report.ts'
import { runAll } from './cases/run-all.ts'

const usage = `usage: npm run cases -- FILE… [options]

Runs the cases of the files against the built proxy (npm run build), each in a fresh state.

  --only ID           only this case; may be repeated
  --listener NAME     clear (default), tls or both
  --tls               the same as --listener tls
  --lenient           an outcome that a case lists as allowed (alt) passes too
  --json              results for machines
`

const listenersByName: Readonly<Record<string, readonly ListenerName[]>> = {
  clear: ['clear'],
  tls: ['tls'],
  both: ['clear', 'tls'],
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}

async function main(): Promise<number> {
  const options = readArguments()
  if (options === undefined) return 2
  const { files, only, listeners, lenient, json } = options
  const all = files.flatMap(readCaseFile)
  const missing = only.filter(id => !all.some(one => one.id === id))
  if (missing.length > 0) throw new Error(`--only ${missing.join(', ')}: no case of these files has that id`)
  const cases = only.length === 0 ? all : all.filter(one => only.includes(one.id))
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interrupted.abort(new Error(`interrupted by ${signal}`)))
  }
  const results = await runAll(cases, {
    listeners,
    lenient,
    signal: interrupted.signal,
    onResult: result => {
      if (!json && result.status === 'failed') console.log(failureLine(result))
    },
  })
  const total = count(results)
  if (json) console.log(JSON.stringify({ ...total, results }, undefined, 1))
  else for (const line of summaryLines(results)) console.log(line)
  return total.failed > 0 ? 1 : 0
}

interface Arguments {
  readonly files: readonly string[]
  readonly only: readonly string[]
  readonly listeners: readonly ListenerName[]
  readonly lenient: boolean
  readonly json: boolean
}

/** `undefined` after telling what is wrong with the command line. */
function readArguments(): Arguments | undefined {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        only: { type: 'string', multiple: true, default: [] },
        listener: { type: 'string', default: 'clear' },
        tls: { type: 'boolean', default: false },
        lenient: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    })
    const listeners = listenersByName[values.tls ? 'tls' : values.listener]
    if (listeners === undefined) throw new Error(`--listener ${values.listener}: allowed are clear, tls and both`)
    if (positionals.length === 0) throw new Error('a case file is missing')
    return { files: positionals, only: values.only, listeners, lenient: values.lenient, json: values.json }
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    return undefined
  }
}
