import { isIP } from 'node:net'
import type { RequestHead } from '../http1/messages.ts'
import { serialiseForwarding } from '../http1/serialise.ts'
import type { ForwardedPorts } from './worker-protocol.ts'

/** How a client reached us: what its connection says, and what a trusted proxy in front says instead. */
export interface ClientIdentity {
  readonly address: string
  readonly secure: boolean
  /** Host without port, for redirects. */
  readonly host: string
  /** The field lines that tell a backend who asks. */
  readonly forwarding: string
}

export interface ConnectionIdentity {
  readonly peerAddress: string
  readonly secure: boolean
  readonly ports: ForwardedPorts
}

/** An IPv4 client of a dual-stack listener is shown by its IPv4 address. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

/** Nobody in front is trusted: nothing of what the client claims about itself reaches a backend, under no name. */
export function identityOfConnection(head: RequestHead, connection: ConnectionIdentity): ClientIdentity {
  const { peerAddress, secure, ports } = connection
  return {
    address: peerAddress,
    secure,
    host: head.host,
    forwarding: serialiseForwarding({
      realIp: peerAddress,
      forwardedFor: peerAddress,
      forwardedHost: head.authority,
      forwardedPort: String(secure ? ports.https : ports.http),
      forwardedProto: secure ? 'https' : 'http',
    }),
  }
}

/**
 * A proxy in front is trusted (`use-forwarded-headers`). It appends the address that it saw to X-Forwarded-For, so
 * the last entry is the one that a client cannot make up.
 */
export function identityOfForwardedHeaders(head: RequestHead, connection: ConnectionIdentity): ClientIdentity {
  const { forwardedFor, forwardedHost, forwardedProto } = head.identity
  const { peerAddress, ports } = connection
  const last = lastOf(forwardedFor)
  const address = isIP(last) === 0 ? peerAddress : last
  const proto = firstOf(forwardedProto).toLowerCase()
  const secure = proto === 'https' || (proto !== 'http' && connection.secure)
  const host = firstOf(forwardedHost)
  return {
    address,
    secure,
    host: host === '' ? head.host : withoutPort(host),
    forwarding: serialiseForwarding({
      realIp: address,
      forwardedFor: forwardedFor === '' ? peerAddress : `${forwardedFor}, ${peerAddress}`,
      forwardedHost: host === '' ? head.authority : host,
      forwardedPort: String(secure ? ports.https : ports.http),
      forwardedProto: secure ? 'https' : 'http',
    }),
  }
}

function firstOf(list: string): string {
  const comma = list.indexOf(',')
  return (comma < 0 ? list : list.slice(0, comma)).trim()
}

function lastOf(list: string): string {
  return list.slice(list.lastIndexOf(',') + 1).trim()
}

/** A port goes, brackets of IPv6 stay; what could not stand in a Location is no host. */
function withoutPort(host: string): string {
  const bare = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d*)?$/.exec(host)?.[1]
  return bare ?? ''
}
