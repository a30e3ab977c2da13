import type { UpstreamExpectation } from './case-file.ts'
import { fieldMismatches } from './field-mismatches.ts'
import { type Message, valuesOf } from './message.ts'
import { showOctets } from './octets.ts'
import type { RequestObservation } from './run-request-case.ts'

/** Where what arrived upstream differs from `up`; without a number in it one request is expected. */
export function upstreamMismatches(up: UpstreamExpectation, seen: RequestObservation): readonly string[] {
  const messages = seen.requests.map(({ message }) => message)
  const [first] = messages
  if (first === undefined) return ['no whole request reached the upstream']
  return [
    ...countMismatches(up, messages.length),
    ...targetMismatches(up, messages),
    ...firstMismatches(up, first),
    ...fieldMismatches({ headers: up.headers, headers_all: up.headers_all, present: up.present }, first),
    ...messages.flatMap(message => fieldMismatches({ absent: up.absent }, message)),
    ...rawMismatches(up.raw_absent ?? [], seen),
    ...(up.xff_trusted_only === true ? messages.flatMap(trustedMismatches) : []),
    ...(seen.connections.some(({ partial, open }) => partial && open)
      ? ['an upstream request was left unfinished']
      : []),
  ]
}

function countMismatches(up: UpstreamExpectation, count: number): readonly string[] {
  if (up.requests !== undefined)
    return up.requests === count ? [] : [`${count} requests reached the upstream, not ${up.requests}`]
  const least = up.requests_min ?? 1
  return count >= least ? [] : [`${count} requests reached the upstream, not at least ${least}`]
}

function targetMismatches(up: UpstreamExpectation, messages: readonly Message[]): readonly string[] {
  if (up.targets === undefined) return []
  const came = messages.map(message => message.startLine[1]).sort()
  const wanted = [...up.targets].sort()
  return came.join('\n') === wanted.join('\n')
    ? []
    : [`targets ${came.map(showOctets).join(', ')}, not ${wanted.map(showOctets).join(', ')}`]
}

function firstMismatches(up: UpstreamExpectation, first: Message): readonly string[] {
  const [method, target, version] = first.startLine
  const rows: readonly (readonly [name: string, wanted: string | undefined, came: string])[] = [
    ['method', up.method, method],
    ['target', up.target, target],
    ['version', up.version, version],
    ['Host', up.host, valuesOf(first, 'host').join(', ')],
    ['body', up.body, first.body.toString('latin1')],
    ['framing', framingName(up.framing), first.framing],
  ]
  return rows.flatMap(([name, wanted, came]) => {
    return wanted === undefined || wanted === came ? [] : [`${name} ${showOctets(came)}, not ${showOctets(wanted)}`]
  })
}

function framingName(written: string | undefined): string | undefined {
  if (written === 'cl' || written === 'length') return 'content-length'
  return written === 'te' ? 'chunked' : written
}

function rawMismatches(absent: readonly string[], seen: RequestObservation): readonly string[] {
  const all = seen.connections
    .map(({ octets }) => withoutOwnValues(octets.toString('latin1'), seen.listener.port))
    .join('\n')
  return absent.filter(octets => all.includes(octets)).map(octets => `${showOctets(octets)} reached the upstream`)
}

/** The proxy's random request id and its port could hold the bytes searched for by chance. */
function withoutOwnValues(octets: string, port: number): string {
  return octets
    .replaceAll(/^(x-request-id: )[0-9a-f]{32}\r$/gim, '$1\r')
    .replaceAll(new RegExp(`^(x-forwarded-port: )${port}\r$`, 'gim'), '$1\r')
}

function trustedMismatches(message: Message): readonly string[] {
  const chain = valuesOf(message, 'x-forwarded-for').flatMap(value => value.split(',').map(entry => entry.trim()))
  const found: string[] = []
  if (chain.at(-1) !== '127.0.0.1')
    found.push(`the last entry of X-Forwarded-For is ${showOctets(chain.at(-1) ?? '')}, not the client's address`)
  const real = valuesOf(message, 'x-real-ip')
  if (real.some(address => address !== '127.0.0.1')) found.push(`X-Real-IP ${real.map(showOctets).join(', ')}`)
  return found
}
