import { Agent, request } from 'node:http'

/** What honest clients saw. */
export interface Experience {
  /** Status, or the error's code, and how often. */
  readonly outcomes: Readonly<Record<string, number>>
  readonly p50Ms: number
  readonly p99Ms: number
}

/** How many of them there are, and how long each waits after an answer. */
const clients = 4
const pauseMs = 8

/** Clients as there are many: every second request on a kept connection, the others on one of their own. */
export class HonestClients {
  readonly #port: number
  readonly #agent = new Agent({ keepAlive: true, maxSockets: clients })
  #outcomes: Record<string, number> = {}
  #latencies: number[] = []
  readonly #stop = new AbortController()
  readonly #running: Promise<unknown>

  constructor(port: number) {
    this.#port = port
    this.#running = Promise.all(Array.from({ length: clients }, async (_, index) => this.#go(index)))
  }

  /** What they saw since the last time they were asked. */
  take(): Experience {
    const sorted = this.#latencies.sort((one, other) => one - other)
    const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0
    const experience = { outcomes: this.#outcomes, p50Ms: at(0.5), p99Ms: at(0.99) }
    this.#outcomes = {}
    this.#latencies = []
    return experience
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
    this.#agent.destroy()
  }

  async #go(index: number): Promise<void> {
    for (let turn = index; !this.#stop.signal.aborted; turn++) {
      const startMs = performance.now()
      const outcome = await this.#ask(turn % 2 === 0)
      this.#latencies.push(performance.now() - startMs)
      this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + 1
      await new Promise(resolve => {
        setTimeout(resolve, pauseMs)
      })
    }
  }

  async #ask(kept: boolean): Promise<string> {
    return new Promise(resolve => {
      const asked = request(
        {
          host: '127.0.0.1',
          // Not the address of the attackers.
          localAddress: '127.0.0.2',
          port: this.#port,
          path: '/',
          headers: { host: 'shop.example.com' },
          agent: kept ? this.#agent : false,
        },
        response => {
          response.resume()
          response.on('end', () => resolve(String(response.statusCode)))
          response.on('error', error => resolve(error.message))
        },
      )
      asked.on('error', (error: NodeJS.ErrnoException) => {
        // RFC 9112 section 9.3.1: a kept connection may be closed at any time, and the request is sent once more.
        if (asked.reusedSocket && error.code === 'ECONNRESET') resolve(this.#ask(false))
        else resolve(error.code ?? error.message)
      })
      asked.end()
    })
  }
}
