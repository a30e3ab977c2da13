import { describe, expect, it } from 'vitest'
import { corpusFile, readInputs } from './corpus.ts'
import { mutated } from './mutation.ts'
import { Random } from './random.ts'
import { targets } from './targets/index.ts'

/** Changes made to known inputs in every run; `npm run fuzz` makes as many more as it is given time for. */
const CHANGED_INPUTS = 250
const SEED = 1994

describe.each(targets)('$name', target => {
  const known = ['corpus', 'found'].flatMap(kind => readInputs(corpusFile(kind as 'corpus', target.name)))
  const seeds = target.seeds().map(text => Buffer.from(text, 'latin1'))

  it('holds its properties for every input of its corpus', () => {
    expect(known.length).toBeGreaterThan(0)
    for (const input of known) expect(() => target.check(Buffer.from(input)), shown(input)).not.toThrow()
  })

  it('holds them for inputs that are changed at random, the same in every run', () => {
    const random = new Random(SEED)
    const others = [...known, ...seeds]
    const dictionary = target.dictionary.map(text => Buffer.from(text, 'latin1'))
    for (let count = 0; count < CHANGED_INPUTS; count++) {
      const input = mutated(random.of(others), { random, others, dictionary })
      expect(() => target.check(Buffer.from(input)), shown(input)).not.toThrow()
    }
  })
})

function shown(input: Buffer): string {
  return JSON.stringify(input.toString('latin1'))
}
