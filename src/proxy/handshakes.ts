import type { Socket } from 'node:net'

interface Handshake {
  readonly socket: Socket
  readonly startedMs: number
}

/**
 * The TLS handshakes under way at one worker, in the order in which they began. Whoever means it is through in a few
 * round trips; so when there are too many, the one that has taken longest makes room, and a flood of connections that
 * say nothing locks nobody out.
 */
export class Handshakes {
  readonly #underWay = new Map<string, Handshake>()

  get count(): number {
    return this.#underWay.size
  }

  /** False when the client is gone already. */
  begin(socket: Socket, nowMs: number): boolean {
    const client = clientOf(socket)
    if (client === undefined) return false
    this.#underWay.set(client, { socket, startedMs: nowMs })
    return true
  }

  /** `secured` is TLS on the connection. */
  succeeded(secured: Socket): void {
    const client = clientOf(secured)
    if (client !== undefined) this.#underWay.delete(client)
  }

  /** The connection is closed; its handshake may have been over long before. */
  closed(socket: Socket): void {
    const client = clientOf(socket)
    if (client !== undefined && this.#underWay.get(client)?.socket === socket) this.#underWay.delete(client)
  }

  /** Ends the connection whose handshake began first. */
  dropOldest(): void {
    const [oldest] = this.#underWay
    if (oldest === undefined) return
    this.#underWay.delete(oldest[0])
    oldest[1].socket.destroy()
  }

  /** Ends the connections whose handshakes began `ms` ago or earlier. */
  dropOverdue(nowMs: number, ms: number): void {
    for (const [client, { socket, startedMs }] of this.#underWay) {
      if (nowMs - startedMs < ms) return
      this.#underWay.delete(client)
      socket.destroy()
    }
  }
}

/** The same for a connection and for TLS on it, and remembered by the closed connection. Nobody else has it meanwhile. */
function clientOf({ remoteAddress, remotePort }: Socket): string | undefined {
  return remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort ?? 0}`
}
