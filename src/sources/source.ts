import type { Change } from '../routing/snapshot.ts'

/** Where routing input comes from. One life: `start` once, then changes until `stop`. */
export interface Source {
  /** Gives every object as it is now, and from then on what changed; never calls back after `stop`. */
  start(onChanges: (changes: readonly Change[]) => void): void
  /** Resolves when everything that existed at the start has been given; rejects when it cannot be read at all. */
  synced(): Promise<void>
  stop(): Promise<void>
}
