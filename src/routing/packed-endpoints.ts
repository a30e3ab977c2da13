import type { Endpoint } from './model.ts'

/**
 * Endpoints as one text, a sixth of what they take as objects: most of a large cluster's table is endpoints that get no
 * request for hours. It is JSON, so that whatever a file says in an address comes back as it was: a list of the ports,
 * a list of the zones, a list of other fields by position (mostly empty), then two items an endpoint, its address and
 * the number that combines its port and its zone.
 */

type Packed = readonly [
  ports: readonly number[],
  zones: readonly string[],
  others: readonly (readonly [position: number, fields: object])[],
  ...endpoints: (string | number)[],
]

const empty: readonly Endpoint[] = []

export function packEndpoints(endpoints: readonly Endpoint[]): string {
  if (endpoints.length === 0) return ''
  const ports: number[] = []
  const zones: string[] = []
  for (const { port, zone } of endpoints) {
    if (!ports.includes(port)) ports.push(port)
    if (zone !== undefined && !zones.includes(zone)) zones.push(zone)
  }
  const others: [number, object][] = []
  const flat: (string | number)[] = []
  for (const [position, { address, port, zone, ...rest }] of endpoints.entries()) {
    flat.push(address, ports.indexOf(port) * (zones.length + 1) + (zone === undefined ? 0 : zones.indexOf(zone) + 1))
    if (Object.keys(rest).length > 0) others.push([position, rest])
  }
  return JSON.stringify([ports, zones, others, ...flat] satisfies Packed)
}

export function unpackEndpoints(text: string): readonly Endpoint[] {
  if (text === '') return empty
  const [ports, zones, others, ...flat] = JSON.parse(text) as Packed
  const endpoints: Endpoint[] = []
  for (let index = 0; index + 1 < flat.length; index += 2) {
    const address = String(flat[index])
    const code = Number(flat[index + 1])
    const port = ports[Math.floor(code / (zones.length + 1))] ?? 0
    const zone = zones[(code % (zones.length + 1)) - 1]
    endpoints.push(zone === undefined ? { address, port } : { address, port, zone })
  }
  for (const [position, fields] of others) {
    const endpoint = endpoints[position]
    if (endpoint !== undefined) endpoints[position] = { ...endpoint, ...fields }
  }
  return endpoints
}
