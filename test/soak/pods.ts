import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { PodOrder, PodReply } from './pod-protocol.ts'

type Wish<Order> = Order extends { readonly number: number } ? Omit<Order, 'number'> : never

/** The parent's side of the process in which all pods run. */
export class Pods implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (reply: PodReply) => void>()
  #orders = 0

  constructor() {
    this.#child = fork(join(import.meta.dirname, 'pod-process.ts'), [], { serialization: 'advanced', execArgv: [] })
    this.#child.on('message', (reply: PodReply) => {
      this.#waiting.get(reply.number)?.(reply)
      this.#waiting.delete(reply.number)
    })
  }

  /** Opens a pod of this name on a free port. */
  async open(pod: string): Promise<number> {
    return (await this.#ask({ order: 'open', pod })).port ?? 0
  }

  async close(pod: string): Promise<void> {
    await this.#ask({ order: 'close', pod })
  }

  async closeKept(perSecond: number): Promise<void> {
    await this.#ask({ order: 'close-kept', perSecond })
  }

  async sightings(): Promise<Uint8Array> {
    return (await this.#ask({ order: 'sightings' })).sightings ?? new Uint8Array()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  async #ask(wish: Wish<PodOrder>): Promise<PodReply> {
    const number = ++this.#orders
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, resolve)
      this.#child.send({ number, ...wish }, error => {
        if (error !== null) reject(error)
      })
    })
  }
}
