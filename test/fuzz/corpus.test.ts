import { describe, expect, it } from 'vitest'
import { corpusFile, readInputs } from './corpus.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { mutated } from './mutation.ts'
import { Random } from './random.ts'
import { targets } from './targets/index.ts'

/** Changes made to known inputs in every run; `npm run fuzz` makes as many more as it is given time for. */
const CHANGED_INPUTS = 250
const SEED = 1994

describe.each(targets)('$name', target => {
  const known = (['corpus', 'found'] as const).flatMap(kind => readInputs(corpusFile(kind, target.name)))
  const seeds = target.seeds().map(text => Buffer.from(text, 'latin1'))

  it('holds its properties for every input of its corpus', () => {
    expect(known.length).toBeGreaterThan(0)
    expect(known.flatMap(input => faultOf(target, input))).toEqual([])
  })

  it('holds them for inputs that are changed at random, the same in every run', () => {
    const random = new Random(SEED)
    const others = [...known, ...seeds]
    const dictionary = target.dictionary.map(text => Buffer.from(text, 'latin1'))
    const changed = Array.from({ length: CHANGED_INPUTS }, () => {
      return mutated(random.of(others), { random, others, dictionary })
    })
    expect(changed.flatMap(input => faultOf(target, input))).toEqual([])
  })
})

/** The input as it would stand in a file of `found`, and what it breaks. */
function faultOf(target: FuzzTarget, input: Buffer): readonly string[] {
  try {
    target.check(Buffer.from(input))
    return []
  } catch (error) {
    return [`${JSON.stringify(input.toString('latin1'))}: ${String(error)}`]
  }
}
