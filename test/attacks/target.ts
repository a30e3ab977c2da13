import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { constants, setPriority } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { IngressDeployment } from '../../src/api/ingressdeployment.ts'
import { residentBytesOf } from '../bench/machine/memory.ts'
import { ingress, ingressDeployment, service, slice, tlsSecret } from '../features/sample-objects.ts'
import { Serving } from '../features/serving.ts'
import type { AttackName } from './attacks.ts'
import { type Experience, HonestClients } from './honest-clients.ts'

/** `npm run attacks -- --full`: the sizes and the timeouts of real life, and figures to read. */
export const isFull = process.env['ATTACKS'] === 'full'
/** Print the figures: `ATTACKS=small` does so at the sizes of the tests. */
export const printsFigures = process.env['ATTACKS'] !== undefined

export interface AttackPlan {
  readonly attack: AttackName
  readonly connections: number
  readonly durationMs?: number
  /** Settings of the proxy, over those that the tests have in common. */
  readonly configuration?: Configuration
  /** By the proxy's counts since the attack began: the attackers are gone, in addition to their connections. */
  readonly isOver?: (counted: Counts) => boolean
}

type Counts = ReadonlyMap<string, number>

type Configuration = NonNullable<IngressDeployment['spec']['configuration']>

export interface Outcome {
  readonly quiet: Experience
  readonly attacked: Experience
  /** Growth of the resident set at its highest, and when the attackers were gone. */
  readonly peakGrowthMb: number
  readonly growthMb: number
  /** From the moment that the attack was made until no connection of its was open. */
  readonly endedAfterMs: number
  /** The proxy's own counts, by the names of its metrics without prefix. */
  readonly counted: Counts
}

const attackerFile = join(import.meta.dirname, 'attacker.ts')
const backendFile = join(import.meta.dirname, 'backend.ts')
/** Connections that are none of the attackers': kept ones of honest clients, and one of each on its way. */
const honestConnections = 8

/** A real proxy with a backend and honest clients, to be attacked by other processes. */
export class Target implements AsyncDisposable {
  readonly #serving = new Serving()
  readonly #backend = fork(backendFile)
  readonly #attackers: ChildProcess[] = []
  #manifest = ''

  static async start(): Promise<Target> {
    const target = new Target()
    const [port] = (await once(target.#backend, 'message')) as [number]
    target.#serving.write(
      'shop.yaml',
      service('web'),
      slice('web-1', 'web', port),
      ingress('shop', [{ host: 'shop.example.com', service: 'web' }], {
        tls: [{ hosts: ['shop.example.com'], secretName: 'tls' }],
      }),
      await tlsSecret('tls', ['shop.example.com']),
    )
    target.#configure({}, {})
    await target.#serving.start('--workers', '1')
    // What garbage collection leaves lying between two runs of it is no growth by an attack.
    await Promise.all(Array.from({ length: 24 }, async () => target.#download()))
    return target
  }

  /** Carries out the attack while honest clients go on; resolves when its connections are gone. */
  async attack(plan: AttackPlan): Promise<Outcome> {
    await this.#reconfigure(plan.configuration ?? {})
    const honest = new HonestClients(this.#port('HTTP'))
    // The heap has its size, and the connections to the endpoint are made.
    await pause(isFull ? 3_000 : 700)
    honest.take()
    await pause(isFull ? 10_000 : 300)
    const quiet = honest.take()
    const counted = await this.metrics()
    const memory = new MemoryRecord(this.#serving.pid)
    const attacker = await this.#send(plan)
    const madeMs = performance.now()
    await this.#untilAlone(counted, plan.isOver ?? (() => true))
    const endedAfterMs = performance.now() - madeMs
    const attacked = honest.take()
    memory.stop()
    attacker.kill('SIGKILL')
    await honest.stop()
    const after = await this.metrics()
    return {
      quiet,
      attacked,
      peakGrowthMb: memory.peakGrowthMb,
      growthMb: memory.growthMb,
      endedAfterMs,
      counted: difference(after, counted),
    }
  }

  /** Megabytes of the proxy's resident set. */
  get residentMb(): number {
    return residentMb(this.#serving.pid)
  }

  /** Status of one request on a connection of its own; rejects when it was refused. */
  async ask(): Promise<number> {
    return (await this.#serving.get('http://shop.example.com/')).status
  }

  /** Messages of the proxy's log at these levels. */
  logged(...levels: readonly string[]): readonly string[] {
    return this.#serving.log.filter(({ level }) => levels.includes(level)).map(({ msg }) => msg)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const attacker of this.#attackers) attacker.kill('SIGKILL')
    await this.#serving[Symbol.asyncDispose]()
    this.#backend.kill('SIGKILL')
  }

  async #download(): Promise<void> {
    const asked = requestHttp({
      host: '127.0.0.1',
      port: this.#port('HTTP'),
      path: '/medium',
      headers: { host: 'shop.example.com' },
    })
    asked.end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    response.resume()
    await once(response, 'end')
  }

  /** Says whether that changed anything. */
  #configure({ timeouts, limits, ...others }: Configuration, usual: Configuration['timeouts']): boolean {
    const manifest = ingressDeployment({
      ingressClass: { name: 'shop' },
      configuration: {
        accessLog: 'off',
        tlsRedirect: false,
        ...others,
        timeouts: { ...usual, ...timeouts },
        limits: { maxBodyBytes: 0, ...limits },
      },
    })
    if (manifest === this.#manifest) return false
    this.#manifest = manifest
    this.#serving.write('instance.yaml', manifest)
    return true
  }

  async #reconfigure(configuration: Configuration): Promise<void> {
    const served = (await this.metrics()).get('served_revision') ?? 0
    if (!this.#configure(configuration, isFull ? {} : shortTimeouts)) return
    while (((await this.metrics()).get('served_revision') ?? 0) <= served) await pause(20)
  }

  async #send(plan: AttackPlan): Promise<ChildProcess> {
    const attacker = fork(attackerFile)
    this.#attackers.push(attacker)
    // As if they were elsewhere: the processors of this machine are for the proxy and those it serves.
    if (attacker.pid !== undefined) setPriority(attacker.pid, constants.priority.PRIORITY_LOW)
    const httpPort = this.#port('HTTP')
    const httpsPort = this.#port('HTTPS')
    attacker.send({ durationMs: 0, ...plan, httpPort, httpsPort })
    await once(attacker, 'message')
    return attacker
  }

  async #untilAlone(before: Counts, isOver: (counted: Counts) => boolean): Promise<void> {
    while (true) {
      const metrics = await this.metrics()
      const open = metrics.get('connections_open') ?? 0
      if (open <= honestConnections && isOver(difference(metrics, before))) return
      await pause(100)
    }
  }

  /** What the proxy counts, by the names of its metrics without prefix. */
  async metrics(): Promise<Counts> {
    const { body } = await this.#serving.getAdmin('/metrics')
    return new Map(
      [...body.matchAll(/^ingress_fleet_proxy_(\S+) (\S+)$/gm)].map(([, name = '', value]) => [name, Number(value)]),
    )
  }

  #port(name: 'HTTP' | 'HTTPS'): number {
    return Number(this.#serving.url(name).port)
  }
}

const shortTimeouts = {
  clientHeadSeconds: 2,
  clientBodySeconds: 2,
  slowClientGraceSeconds: 1,
  sendSeconds: 1,
  readSeconds: 3,
  keepAliveSeconds: 2,
}

function difference(after: Counts, before: Counts): Counts {
  return new Map([...after].map(([name, value]) => [name, value - (before.get(name) ?? 0)]))
}

/** The resident set of a process over time. */
class MemoryRecord {
  readonly #pid: number
  readonly #firstMb: number
  readonly #timer: NodeJS.Timeout
  #peakMb = 0
  #lastMb = 0

  constructor(pid: number) {
    this.#pid = pid
    this.#firstMb = residentMb(pid)
    this.#timer = setInterval(() => this.#look(), 50)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#look()
  }

  get peakGrowthMb(): number {
    return this.#peakMb - this.#firstMb
  }

  get growthMb(): number {
    return this.#lastMb - this.#firstMb
  }

  #look(): void {
    this.#lastMb = residentMb(this.#pid)
    this.#peakMb = Math.max(this.#peakMb, this.#lastMb)
  }
}

function residentMb(pid: number): number {
  return (residentBytesOf(pid) ?? Number.NaN) / 1_048_576
}
