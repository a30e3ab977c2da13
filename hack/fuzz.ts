// Fuzzes what reads octets of strangers: npm run fuzz -- TARGET [--seconds N] [--seed N]
import { parseArgs } from 'node:util'
import { corpusFile, readInputs, writeInputs } from '../test/fuzz/corpus.ts'
import { fuzz } from '../test/fuzz/fuzzer.ts'
import { Random } from '../test/fuzz/random.ts'
import { targets } from '../test/fuzz/targets/index.ts'

const usage = `usage: npm run fuzz -- TARGET|all [options]

Feeds a target with inputs that change by what they reach in src/ (V8's block coverage). New ones go to
test/fuzz/corpus/TARGET.txt, inputs that break a property to test/fuzz/found/TARGET.txt; the tests replay both.

  --seconds N   how long, for each target (30)
  --seed N      repeats the changes of an earlier run, which printed it

Targets: ${targets.map(({ name }) => name).join(', ')}
`

process.exitCode = main()

function main(): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    strict: false,
    options: { seconds: { type: 'string', default: '30' }, seed: { type: 'string' } },
  })
  const chosen = targets.filter(({ name }) => positionals.includes(name) || positionals.includes('all'))
  const seconds = Number(values['seconds'])
  const seed = Number(values['seed'] ?? Date.now() % 1_000_000)
  if (chosen.length === 0 || !(seconds > 0) || !Number.isSafeInteger(seed)) {
    console.error(usage)
    return 2
  }
  return chosen.map(target => run(target, seconds, seed)).every(Boolean) ? 0 : 1
}

function run(target: (typeof targets)[number], seconds: number, seed: number): boolean {
  const file = corpusFile('corpus', target.name)
  let endMs = Number.POSITIVE_INFINITY
  console.log(`${target.name}: ${seconds} s, seed ${seed}`)
  const result = fuzz({
    target,
    corpus: readInputs(file),
    random: new Random(seed),
    isOver: () => {
      if (endMs === Number.POSITIVE_INFINITY) endMs = performance.now() + seconds * 1000
      return performance.now() >= endMs
    },
    onProgress: line => console.log(`${target.name}: ${line}`),
  })
  writeInputs(file, result.corpus)
  const found = corpusFile('found', target.name)
  if (result.found.length > 0) writeInputs(found, [...readInputs(found), ...result.found.map(({ input }) => input)])
  const { runs, covered, corpus } = result
  console.log(`${target.name}: ${runs} inputs, ${covered} characters of src/ run, ${corpus.length} in the corpus`)
  for (const { input, error } of result.found)
    console.log(`FAILED ${JSON.stringify(input.toString('latin1'))}: ${error}`)
  return result.found.length === 0
}
