import { inspect, isDeepStrictEqual } from 'node:util'
import { Random } from './random.ts'

/** Something that takes octets of strangers, and what must hold whatever they are. */
export interface FuzzTarget {
  readonly name: string
  readonly dictionary: readonly string[]
  /** Inputs to begin with, beside the corpus; as latin-1 text. */
  readonly seeds: () => readonly string[]
  /** What kind of outcome it was, for what no block of code tells apart. Throws when a property does not hold. */
  readonly check: (octets: Buffer) => string
}

export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

export function mustEqual(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(actual, expected)) return
  throw new Error(`${what}: ${inspect(actual, { depth: 9 })} is not ${inspect(expected, { depth: 9 })}`)
}

const FULL_SPLIT_OCTETS = 400

/**
 * Ways to cut the octets into pieces, the same for the same octets: one octet at a time, each line end in two, at
 * random.
 */
export function cutsOf(octets: Buffer): readonly (readonly number[])[] {
  const random = new Random(octets.reduce((sum, octet) => (Math.imul(sum, 31) + octet) | 0, octets.length))
  const all = Array.from({ length: Math.max(0, octets.length - 1) }, (_, index) => index + 1)
  const some = (share: number): readonly number[] => all.filter(() => random.below(share) === 0)
  const afterReturns = all.filter(index => octets[index - 1] === 0x0d)
  return [octets.length <= FULL_SPLIT_OCTETS ? all : some(40), afterReturns, some(8), some(60)]
}

/**
 * The octets, and how often one of them is looked at: for a bound on the work that does not depend on a clock.
 */
export function countingReads(octets: Buffer): { readonly octets: Buffer; readonly reads: () => number } {
  let reads = 0
  const counting = new Proxy(octets, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads++
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  return { octets: counting, reads: () => reads }
}
