import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Log } from '../observe/log.ts'

/** 16 octets that name the key, 16 for the HMAC, 16 for AES-128. */
const keyBytes = 48

/** How often the file is read. */
const pollMs = 5_000

/** Age of keys that the proxy made itself, when it replaces them. */
const rotationMs = 12 * 3_600_000

export interface TicketKeysOptions {
  /** A file of 48 random octets that all replicas share; somebody else rotates it. Without one the proxy makes keys. */
  readonly file?: string | undefined
  readonly log: Pick<Log, 'info' | 'warn'>
  readonly onChange: (keys: Uint8Array) => void
  readonly nowMs?: () => number
}

/** The keys of TLS session tickets of all workers: those of the file as soon as there is one, else random ones. */
export class TicketKeys {
  readonly #options: TicketKeysOptions
  readonly #nowMs: () => number
  #keys: Buffer
  #madeMs: number
  #isOfFile = false
  #told = ''
  #timer: NodeJS.Timeout | undefined

  constructor(options: TicketKeysOptions) {
    this.#options = options
    this.#nowMs = options.nowMs ?? (() => performance.now())
    this.#keys = randomBytes(keyBytes)
    this.#madeMs = this.#nowMs()
  }

  get current(): Uint8Array {
    return new Uint8Array(this.#keys)
  }

  /** Reads the file for the first time, then follows it. */
  async start(): Promise<void> {
    await this.refresh()
    this.#timer = setInterval(() => void this.refresh(), pollMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Takes over what is in the file now; without one, replaces keys that are too old. */
  async refresh(): Promise<void> {
    const found = await this.#read()
    if (found !== undefined) {
      this.#isOfFile = true
      if (!found.equals(this.#keys)) this.#use(found)
    } else if (!this.#isOfFile && this.#nowMs() - this.#madeMs >= rotationMs) this.#use(randomBytes(keyBytes))
  }

  #use(keys: Buffer): void {
    this.#keys = keys
    this.#madeMs = this.#nowMs()
    this.#options.log.info('keys of TLS session tickets replaced')
    this.#options.onChange(this.current)
  }

  /** Undefined, and told once, when it is not there or not what it must be: the keys of before stay. */
  async #read(): Promise<Buffer | undefined> {
    const { file, log } = this.#options
    if (file === undefined) return undefined
    let wrong = ''
    try {
      const found = await readFile(file)
      if (found.length === keyBytes) {
        this.#told = ''
        return found
      }
      wrong = `it must have ${keyBytes} octets and has ${found.length}`
    } catch (error) {
      wrong = error instanceof Error ? error.message : String(error)
    }
    if (wrong !== this.#told) log.warn({ file, error: wrong }, 'keys of TLS session tickets can not be read')
    this.#told = wrong
    return undefined
  }
}
