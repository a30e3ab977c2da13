import type { EndpointSlice } from '../api/kubernetes.ts'

type SliceEndpoint = NonNullable<EndpointSlice['endpoints']>[number]

/** An EndpointSlice whose endpoints are one text: what routing reads of them, and nothing else. */
export interface PackedEndpointSlice extends Omit<EndpointSlice, 'endpoints'> {
  readonly packed: string
}

/**
 * JSON: a list of the zones, a list of the hints (lists of zones), then two items an endpoint: its address (a list when
 * there is not just one) and a number of its conditions, zone and hints.
 */
type Packed = readonly [
  zones: readonly string[],
  hints: readonly string[],
  ...endpoints: (string | string[] | number)[],
]

/** Each condition may be absent (0), false (1) or true (2). */
const conditionNames = ['ready', 'serving', 'terminating'] as const
const conditionCodes = 3 ** conditionNames.length

export function packEndpointSlice(slice: EndpointSlice): PackedEndpointSlice {
  const { endpoints, ...fields } = slice
  return { ...fields, packed: pack(endpoints ?? []) }
}

/** The endpoints of a slice, packed or not. */
export function endpointsOf(slice: EndpointSlice | PackedEndpointSlice): readonly SliceEndpoint[] {
  return 'packed' in slice ? unpack(slice.packed) : (slice.endpoints ?? [])
}

function pack(endpoints: readonly SliceEndpoint[]): string {
  if (endpoints.length === 0) return ''
  const zones: string[] = []
  const hints: string[] = []
  const flat: (string | string[] | number)[] = []
  const codes: number[][] = []
  for (const { addresses, conditions, zone, hints: hint } of endpoints) {
    const [only] = addresses
    flat.push(addresses.length === 1 && only !== undefined ? only : [...addresses])
    const forZones = hint?.forZones === undefined ? undefined : JSON.stringify(hint.forZones.map(({ name }) => name))
    codes.push([conditionsCode(conditions), placeIn(zones, zone), placeIn(hints, forZones)])
  }
  const packed: (string | string[] | number)[] = []
  for (const [index, [conditions = 0, zone = 0, hint = 0]] of codes.entries()) {
    packed.push(flat[index] ?? '', conditions + conditionCodes * (zone + (zones.length + 1) * hint))
  }
  return JSON.stringify([zones, hints, ...packed] satisfies Packed)
}

function unpack(text: string): readonly SliceEndpoint[] {
  if (text === '') return []
  const [zones, hints, ...flat] = JSON.parse(text) as Packed
  const endpoints: SliceEndpoint[] = []
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const address = flat[index]
    const code = Number(flat[index + 1])
    const places = Math.floor(code / conditionCodes)
    const zone = zones[(places % (zones.length + 1)) - 1]
    const hint = hints[Math.floor(places / (zones.length + 1)) - 1]
    endpoints.push({
      addresses: Array.isArray(address) ? address : [String(address)],
      conditions: conditionsOf(code % conditionCodes),
      ...(zone === undefined ? {} : { zone }),
      ...(hint === undefined ? {} : { hints: { forZones: (JSON.parse(hint) as string[]).map(name => ({ name })) } }),
    })
  }
  return endpoints
}

function conditionsCode(conditions: SliceEndpoint['conditions']): number {
  let code = 0
  for (const name of conditionNames) {
    const value = conditions?.[name]
    code = code * 3 + (value === true ? 2 : value === false ? 1 : 0)
  }
  return code
}

function conditionsOf(code: number): NonNullable<SliceEndpoint['conditions']> {
  const value = (digit: number): boolean | null => (digit === 0 ? null : digit === 2)
  return {
    ready: value(Math.floor(code / 9)),
    serving: value(Math.floor(code / 3) % 3),
    terminating: value(code % 3),
  }
}

/** Position counted from 1, 0 for nothing; adds what is new. */
function placeIn(known: string[], value: string | undefined): number {
  if (value === undefined) return 0
  const place = known.indexOf(value)
  if (place >= 0) return place + 1
  known.push(value)
  return known.length
}
