import { Session } from 'node:inspector'
import { getHeapStatistics } from 'node:v8'

/** Of V8's own limit, at which it ends the thread. */
const highShare = 0.85
const lowShare = 0.75

/** The JavaScript heap of the present thread, which has a limit of its own. */
export class HeapWatch {
  #isOver = false

  get isOver(): boolean {
    return this.#isOver
  }

  /** Measures; true when the state changed. */
  check(): boolean {
    const { used_heap_size: bytes, heap_size_limit: limitBytes } = getHeapStatistics()
    const isOver = bytes > limitBytes * (this.#isOver ? lowShare : highShare)
    const changed = isOver !== this.#isOver
    this.#isOver = isOver
    return changed
  }

  /** Gives back now what V8 would keep until it needs it. Blocks the thread: for when memory is short only. */
  collect(): void {
    const session = new Session()
    session.connect()
    session.post('HeapProfiler.collectGarbage')
    session.disconnect()
  }
}
