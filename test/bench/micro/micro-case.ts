/** One hot function under the conditions in which it runs in the proxy. */
export interface MicroCase {
  readonly name: string
  /**
   * Calls the function once; `index` counts the calls, to vary what is asked. What it gives is kept, so that the call
   * cannot be left out by the compiler.
   */
  readonly call: (index: number) => unknown
}
