import { connect, type Socket } from 'node:net'
import { type TLSSocket, connect as tlsConnect } from 'node:tls'
import { RawClient } from '../proxy/raw-client.ts'
import { connectionKey } from './connection-key.ts'
import type { InstancePorts } from './serve-instance.ts'

/** An instance as a load balancer has it. */
export interface Member {
  readonly name: string
  readonly ports: InstancePorts
}

/** A connection to one member; requests go over it one after another. */
export class LoadConnection {
  readonly client: RawClient
  readonly member: Member
  readonly serverName: string | undefined
  /** 0 until it is connected. */
  key = 0
  requests = 0
  idleSinceMs = 0

  /** With a `serverName` over TLS. */
  constructor(member: Member, serverName: string | undefined, session: Buffer | undefined) {
    this.member = member
    this.serverName = serverName
    const socket = serverName === undefined ? plainSocket(member) : secureSocket(member, serverName, session)
    this.client = new RawClient(socket)
    socket.once('connect', () => {
      this.key = connectionKey(socket.remotePort ?? 0, socket.localPort ?? 0)
    })
  }

  /** Resolves when requests can be sent. */
  async ready(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const { socket } = this.client
      socket.once(this.serverName === undefined ? 'connect' : 'secureConnect', resolve)
      socket.once('close', () => reject(new Error('not connected')))
    })
  }

  get secureSocket(): TLSSocket | undefined {
    return this.serverName === undefined ? undefined : (this.client.socket as TLSSocket)
  }

  /** Nothing says that it cannot carry another request. */
  get usable(): boolean {
    return !this.client.ended && this.client.error === undefined && this.client.unread === ''
  }
}

function plainSocket({ ports }: Member): Socket {
  return connect({ host: '127.0.0.1', port: ports.http, noDelay: true, allowHalfOpen: true })
}

function secureSocket({ ports }: Member, servername: string, session: Buffer | undefined): TLSSocket {
  const socket = tlsConnect({
    host: '127.0.0.1',
    port: ports.https,
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    servername,
    ...(session === undefined ? {} : { session }),
  })
  socket.setNoDelay(true)
  return socket
}
