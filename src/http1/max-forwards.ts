import { withoutNominated } from './connection-options.ts'
import { MAX_FORWARDS } from './field-names.ts'
import type { FieldSection } from './field-section.ts'
import { type Refused, refused } from './messages.ts'

/** The most that is counted; what is larger is sent on as this (RFC 9110 section 7.6.2). */
const MAX_HOPS = 2_147_483_647

const MAX_FORWARDS_LINE: ReadonlySet<string> = new Set(['max-forwards'])

/** How often the request may be forwarded: the value of its one Max-Forwards field, in digits. */
export function hopsLeft(section: FieldSection): number | Refused {
  if (section.isRepeated(MAX_FORWARDS)) return refused(400, 'max-forwards-repeated')
  if (!/^\d+$/.test(section.maxForwards)) return refused(400, 'max-forwards-syntax')
  return Number(section.maxForwards)
}

/** Field lines to forward, with one hop less than `hops`, which is not 0. */
export function withHopTaken(fields: string, hops: number): string {
  return `${withoutNominated(fields, MAX_FORWARDS_LINE)}Max-Forwards: ${Math.min(hops - 1, MAX_HOPS)}\r\n`
}
