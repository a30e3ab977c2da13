import { setTimeout as pause } from 'node:timers/promises'
import type { LoadClient } from './load-client.ts'
import type { Target } from './load-request.ts'
import type { Stage } from './stage.ts'

/** A pod that ends goes on serving for this long after every instance knows. */
const lameDuckMs = 200
/** An old certificate may still be shown by a handshake that began before the Secret was replaced. */
const swapMs = 500

/** Changes of what is served, under the requests of a client that is told what it may expect. */
export class Churn {
  endpointChanges = 0
  routeChanges = 0
  certificateSwaps = 0
  readonly #stage: Stage
  readonly #client: LoadClient
  /** Hosts that come and go: the number of each and its target. */
  readonly #extra: { readonly number: number; readonly target: Target }[] = []
  /** Pods that are ending. */
  readonly #ending = new Set<Promise<void>>()
  #extraCount = 0

  constructor(stage: Stage, client: LoadClient) {
    this.#stage = stage
    this.#client = client
  }

  /** An endpoint goes and another comes; the old pod then closes its listener and its connections. */
  async changeEndpoint(): Promise<void> {
    const { services } = this.#stage
    const of = services[this.endpointChanges % services.length]
    if (of === undefined) return
    const old = await this.#stage.replacePod(of)
    this.#client.forbid(old)
    this.endpointChanges++
    const ended = this.#end(old)
    this.#ending.add(ended)
    void ended.finally(() => this.#ending.delete(ended))
  }

  /** In turn: a path moves, a host comes, a path moves, a host goes. */
  async changeRoute(): Promise<void> {
    const turn = this.routeChanges % 4
    if (turn === 0 || turn === 2) await this.#stage.movePath(this.routeChanges / 2)
    else if (turn === 1) await this.#addHost()
    else await this.#removeHost()
    this.routeChanges++
  }

  async swapCertificate(): Promise<void> {
    const { connections } = this.#client
    const before = connections.certificateNames.at(-1)
    const after = this.#stage.writeCertificate(this.certificateSwaps + 1)
    connections.certificateNames = before === undefined ? [after] : [before, after]
    await pause(swapMs)
    this.certificateSwaps++
  }

  /** Resolves when every pod that left has closed. */
  async settled(): Promise<void> {
    await Promise.all(this.#ending)
  }

  async #end(pod: string): Promise<void> {
    await pause(lameDuckMs)
    await this.#stage.pods.close(pod)
  }

  async #addHost(): Promise<void> {
    const number = this.#extraCount++
    const target = await this.#stage.addHost(number)
    this.#extra.push({ number, target })
    this.#client.targets = [...this.#client.targets, target]
  }

  async #removeHost(): Promise<void> {
    const oldest = this.#extra.shift()
    if (oldest === undefined) return
    this.#client.targets = this.#client.targets.filter(target => target !== oldest.target)
    await this.#client.untilEnded()
    await this.#stage.removeHost(oldest.number)
  }
}
