import type { Random } from './random.ts'

/** An input is never made longer: parsers meet their limits in the case files. */
const MAX_OCTETS = 4096

/** Octets that parsers of text disagree about. */
const ODD_OCTETS = Buffer.from('\r\n\0\t :;,=%/.?#"\\\x0b\x0c\x1f\x7f\x80\x85\xa0\xff09afAFxX-_', 'latin1')

export interface MutationSource {
  readonly random: Random
  /** Other inputs, for parts of them. */
  readonly others: readonly Buffer[]
  readonly dictionary: readonly Buffer[]
}

/** The input with one to four changes. */
export function mutated(input: Buffer, source: MutationSource): Buffer {
  let octets = input
  for (let changes = 1 + source.random.below(4); changes > 0; changes--) octets = changed(octets, source)
  return octets.subarray(0, MAX_OCTETS)
}

function changed(octets: Buffer, { random, others, dictionary }: MutationSource): Buffer {
  const at = random.below(octets.length + 1)
  const length = random.below(4) === 0 ? random.below(32) : random.below(4)
  const rest = octets.subarray(Math.min(octets.length, at + length))
  const before = octets.subarray(0, at)
  switch (random.below(10)) {
    case 0:
      return Buffer.concat([before, Buffer.from([random.below(256)]), octets.subarray(at + 1)])
    case 1:
      return Buffer.concat([before, Buffer.from([random.of([...ODD_OCTETS])]), octets.subarray(at + random.below(2))])
    case 2:
      return Buffer.concat([before, rest])
    case 3:
      return Buffer.concat([before, octets.subarray(at, at + length), octets.subarray(at)])
    case 4:
    case 5:
      return Buffer.concat([before, random.of(dictionary), octets.subarray(at)])
    case 6:
      return Buffer.concat([before, random.of(dictionary), rest])
    case 7: {
      const other = random.of(others)
      const from = random.below(other.length + 1)
      return Buffer.concat([before, other.subarray(from, from + random.below(64)), octets.subarray(at)])
    }
    case 8:
      return Buffer.concat([before, random.of(others).subarray(random.below(64))])
    default:
      return flipped(octets, random)
  }
}

/** One bit of one octet, or its case. */
function flipped(octets: Buffer, random: Random): Buffer {
  const copy = Buffer.from(octets)
  const at = random.below(Math.max(1, copy.length))
  if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8))
  return copy
}
