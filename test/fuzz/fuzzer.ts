import { Coverage } from './coverage.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { type MutationSource, mutated } from './mutation.ts'
import type { Random } from './random.ts'

/** Inputs between two looks at the coverage, which costs as much as many of them. */
const BATCH = 48
/** Found inputs are made smaller for so many tries. */
const SHRINK_TRIES = 600

export interface FuzzResult {
  readonly runs: number
  /** Characters of `src/` that ran. */
  readonly covered: number
  /** Inputs worth keeping beside the seeds: each reached something new. */
  readonly corpus: readonly Buffer[]
  readonly found: readonly { readonly input: Buffer; readonly error: string }[]
}

export interface FuzzOptions {
  readonly target: FuzzTarget
  readonly corpus: readonly Buffer[]
  readonly random: Random
  /** Asked between inputs, after those that are known have run. */
  readonly isOver: () => boolean
  readonly onProgress: (line: string) => void
}

/** Changes inputs that are known and keeps those that run code, or have an outcome, as none did before. */
export function fuzz({ target, corpus, random, isOver, onProgress }: FuzzOptions): FuzzResult {
  const coverage = new Coverage()
  coverage.start()
  const kept: Buffer[] = []
  const found = new Map<string, Buffer>()
  const seeds = target.seeds().map(text => Buffer.from(text, 'latin1'))
  const pool: Buffer[] = []
  const source: MutationSource = {
    random,
    others: pool,
    dictionary: target.dictionary.map(text => Buffer.from(text, 'latin1')),
  }
  let runs = 0
  const run = (input: Buffer): string | undefined => {
    runs++
    const outcome = outcomeOf(target, input)
    if ('kind' in outcome) return outcome.kind
    const { error } = outcome
    if (found.has(kindOf(error))) return undefined
    found.set(kindOf(error), shrunk(target, input, random))
    onProgress(`FOUND ${error}`)
    return undefined
  }
  const keepIfNew = (input: Buffer): void => {
    const kind = run(input)
    if (kind === undefined || !coverage.takeNew([kind])) return
    kept.push(input)
    pool.push(input)
  }
  const seedKinds = seeds.map(run)
  pool.push(...seeds.filter((_, index) => seedKinds[index] !== undefined))
  coverage.takeNew(seedKinds.filter(kind => kind !== undefined))
  for (const input of [...corpus].sort((a, b) => a.length - b.length)) keepIfNew(input)
  if (pool.length === 0) pool.push(Buffer.alloc(0))
  onProgress(
    `${seeds.length} seeds, ${kept.length} of ${corpus.length} inputs kept, ${coverage.size} characters of src/ run`,
  )
  while (!isOver()) {
    const batch = Array.from({ length: BATCH }, () => mutated(random.of(pool), source))
    const kinds = batch.map(run)
    // Which of them ran something new is seen when they run alone.
    if (coverage.hasNew(kinds.filter(kind => kind !== undefined))) batch.forEach(keepIfNew)
  }
  coverage.stop()
  const all = [...found].map(([error, input]) => ({ error, input }))
  return { runs, covered: coverage.size, corpus: kept, found: all }
}

function outcomeOf(target: FuzzTarget, input: Buffer): { readonly kind: string } | { readonly error: string } {
  try {
    return { kind: target.check(Buffer.from(input)) }
  } catch (error) {
    return { error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) }
  }
}

/** Empty when all properties hold. */
function kindOfError(target: FuzzTarget, input: Buffer): string {
  const outcome = outcomeOf(target, input)
  return 'error' in outcome ? kindOf(outcome.error) : ''
}

/** Errors of one kind are told once: numbers and texts in them differ by input. */
function kindOf(error: string): string {
  return error
    .slice(0, 60)
    .replaceAll(/\d+/g, 'N')
    .replaceAll(/[[{"].*/g, '')
}

/** A smaller input with an error of the same kind. */
function shrunk(target: FuzzTarget, input: Buffer, random: Random): Buffer {
  const kind = kindOfError(target, input)
  let smallest = input
  for (let tries = 0; tries < SHRINK_TRIES && smallest.length > 1; tries++) {
    const from = random.below(smallest.length)
    const length = 1 + random.below(Math.max(1, smallest.length >> random.below(6)))
    const smaller = Buffer.concat([smallest.subarray(0, from), smallest.subarray(from + length)])
    if (kindOfError(target, smaller) === kind) smallest = smaller
  }
  return smallest
}
