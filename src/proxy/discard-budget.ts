import { tickMs } from './coarse-clock.ts'

/** Octets a second that all connections of a worker together may have thrown away. */
const bytesPerSecond = 20_971_520
const bytesPerTick = (bytesPerSecond * tickMs) / 1000

/**
 * Bounds what a worker reads only to throw it away, behind answers that end their connections: who pours without end
 * into many of them would have a processor of ours for nothing.
 */
export class DiscardBudget {
  #left = bytesPerTick

  /** False when nothing more should be read before the next tick. */
  spend(bytes: number): boolean {
    this.#left -= bytes
    return this.#left > 0
  }

  /** To be called with every tick. */
  refill(): void {
    this.#left = bytesPerTick
  }
}
