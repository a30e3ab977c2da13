import { getHeapStatistics } from 'node:v8'
import { collector } from './heap.ts'

/** Of V8's own limit, at which it ends the thread. */
const highShare = 0.85
const lowShare = 0.75

/** The JavaScript heap of the present thread, which has a limit of its own, and what hangs on it. */
export class HeapWatch {
  /** Buffers and other memory outside the heap that objects of the heap keep, when last measured. */
  externalBytes = 0
  heapBytes = 0
  #isOver = false
  #collect: ReturnType<typeof collector>

  get isOver(): boolean {
    return this.#isOver
  }

  /** Measures; true when the state changed. */
  check(): boolean {
    const { used_heap_size, total_heap_size, heap_size_limit, external_memory } = getHeapStatistics()
    this.externalBytes = external_memory
    this.heapBytes = total_heap_size
    const isOver = used_heap_size > heap_size_limit * (this.#isOver ? lowShare : highShare)
    const changed = isOver !== this.#isOver
    this.#isOver = isOver
    return changed
  }

  /** Gives back now what V8 would keep until it needs it. Blocks the thread: for when memory is short only. */
  collect(): void {
    this.#collect ??= collector()
    this.#collect?.({ type: 'major' })
  }
}
