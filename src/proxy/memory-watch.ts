import type { Log } from '../observe/log.ts'

export interface MemoryOptions {
  /** Limit of the control group, in bytes; undefined without one. */
  readonly limitBytes: number | undefined
  /** What counts against it now, in bytes. */
  readonly usage: () => number
}

/** Of the limit: what is left must do for the requests in flight and for the kernel's buffers. */
const highShare = 0.85
/** Of the high-water mark: work is taken on again under it, so that it does not stop and go. */
const lowShare = 0.92
/** So many looks without any less: refusing does not help, what is held is what it takes to run. */
const stuckLooks = 60
/** By how much more than what it takes to run the mark is put off then, and how far over itself at most. */
const stuckSlack = 1.02
const stuckMost = 1.08

/** What the workers say of themselves, summed. */
export interface WorkerMemory {
  /** Their JavaScript heaps. */
  readonly heapBytes: number
  /** What they know to hold outside of these. */
  readonly heldBytes: number
}

/**
 * Tells when the process has more memory than it should, and when it has given enough back.
 *
 * Given back does not mean that the kernel has it: the allocator keeps most of what is freed, for the next time. What
 * the workers held and hold no more is therefore there to be used again, as far as the process has not shrunk since;
 * else one flood would be the end of all service.
 */
export class MemoryWatch {
  readonly #memory: MemoryOptions
  readonly #log: Log
  #isOver = false
  #episodes = 0
  /** Of the last look: all but the heaps, and what of it was held. */
  #outsideBytes = 0
  #heldBytes = 0
  /** Freed, and not given to the kernel. */
  #reusableBytes = 0
  /** Since it went over: the least that was needed, and looks since that was less. */
  #leastBytes = 0
  #looks = 0
  /** What it takes to run, when that is over the mark. */
  #floorBytes = 0

  constructor(memory: MemoryOptions, log: Log) {
    this.#memory = memory
    this.#log = log
  }

  /** New work is refused. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** How often it went over the mark. */
  get episodes(): number {
    return this.#episodes
  }

  /** Measures; true when the state changed. `maxBytes` is the high-water mark, 0 for the limit's share. */
  check(maxBytes: number, workers: WorkerMemory): boolean {
    const markBytes = maxBytes > 0 ? maxBytes : (this.#memory.limitBytes ?? Number.POSITIVE_INFINITY) * highShare
    if (markBytes === Number.POSITIVE_INFINITY && !this.#isOver) return false
    const bytes = this.#needed(this.#memory.usage(), workers)
    const highBytes = Math.max(markBytes, Math.min(this.#floorBytes * stuckSlack, markBytes * stuckMost))
    const isOver = this.#isOver ? bytes > markBytes * lowShare && !this.#isStuck(bytes, markBytes) : bytes > highBytes
    if (isOver === this.#isOver) return false
    this.#isOver = isOver
    this.#leastBytes = bytes
    this.#looks = 0
    this.#tell({ bytes, highBytes: Math.round(highBytes), lowBytes: Math.round(markBytes * lowShare) })
    return true
  }

  #tell(fields: Readonly<Record<string, number>>): void {
    if (this.#isOver) {
      this.#episodes++
      this.#log.warn(
        fields,
        'memory over its high-water mark, new requests get 503: raise the memory limit if it stays',
      )
    } else if (this.#floorBytes > 0) {
      this.#log.warn(fields, 'memory stays over its mark without new requests, they are served again: raise the limit')
    } else {
      this.#log.info(fields, 'memory under its low-water mark, requests are served again')
    }
  }

  #needed(bytes: number, { heapBytes, heldBytes }: WorkerMemory): number {
    const outsideBytes = bytes - heapBytes
    const grown = outsideBytes - this.#outsideBytes
    const held = heldBytes - this.#heldBytes
    // What is held anew and did not make the process grow has been used again.
    const freed = held < 0 ? -held : -Math.max(0, held - Math.max(0, grown))
    this.#reusableBytes = Math.max(0, this.#reusableBytes + freed + Math.min(0, grown))
    this.#outsideBytes = outsideBytes
    this.#heldBytes = heldBytes
    return bytes - this.#reusableBytes
  }

  #isStuck(bytes: number, markBytes: number): boolean {
    if (bytes < this.#leastBytes * 0.99) {
      this.#leastBytes = bytes
      this.#looks = 0
    }
    this.#looks++
    const isStuck = this.#looks >= stuckLooks && bytes * stuckSlack <= markBytes * stuckMost
    this.#floorBytes = isStuck ? bytes : 0
    return isStuck
  }
}
