import { isIP } from 'node:net'
import type { RequestHead } from '../http1/messages.ts'
import type { RequestExtras } from '../http1/serialise.ts'
import type { ForwardedPorts } from './worker-protocol.ts'

/** How a client reached us: what its connection says, and what a trusted proxy in front says instead. */
export interface ClientIdentity {
  readonly address: string
  readonly secure: boolean
  /** Host without port, for redirects. */
  readonly host: string
  readonly forwardedFor: string
  readonly forwardedHost: string
  readonly forwardedPort: string
  readonly scheme: 'http' | 'https'
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
    forwardedFor: peerAddress,
    forwardedHost: head.authority,
    forwardedPort: String(secure ? ports.https : ports.http),
    scheme: secure ? 'https' : 'http',
  }
}

/**
 * A proxy in front is trusted (`use-forwarded-headers`). It appends the address that it saw to X-Forwarded-For, so
 * the last entry is the one that a client cannot make up.
 */
export function identityOfForwardedHeaders(head: RequestHead, connection: ConnectionIdentity): ClientIdentity {
  const { forwardedFor, forwardedHost, forwardedProto } = head.identity
  const direct = identityOfConnection(head, connection)
  const address = lastOf(forwardedFor)
  const proto = firstOf(forwardedProto).toLowerCase()
  const secure = proto === 'https' || (proto !== 'http' && direct.secure)
  const host = firstOf(forwardedHost)
  return {
    address: isIP(address) === 0 ? direct.address : address,
    secure,
    host: host === '' ? direct.host : withoutPort(host),
    forwardedFor: forwardedFor === '' ? direct.address : `${forwardedFor}, ${direct.address}`,
    forwardedHost: host === '' ? direct.forwardedHost : host,
    forwardedPort: String(secure ? connection.ports.https : connection.ports.http),
    scheme: secure ? 'https' : 'http',
  }
}

/** The fields that tell a backend who asks. */
export function requestExtras(
  identity: ClientIdentity,
  host: string,
  requestId: string,
  certificateFields = '',
): RequestExtras {
  return {
    host,
    forwardedFor: identity.forwardedFor,
    forwardedHost: identity.forwardedHost,
    forwardedPort: identity.forwardedPort,
    forwardedProto: identity.scheme,
    realIp: identity.address,
    requestId,
    additionalFields: `X-Scheme: ${identity.scheme}\r\n${certificateFields}`,
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
