/** Conditions that somebody waits for, tried again after every event. */
export class Waiters {
  readonly #checks = new Set<() => void>()

  /** True as soon as the condition holds, false when the time is over before. */
  async until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    if (condition()) return true
    return new Promise(resolve => {
      const finish = (value: boolean): void => {
        this.#checks.delete(check)
        clearTimeout(timer)
        resolve(value)
      }
      const check = (): void => {
        if (condition()) finish(true)
      }
      const timer = setTimeout(() => finish(condition()), timeoutMs)
      this.#checks.add(check)
    })
  }

  changed(): void {
    for (const check of this.#checks) check()
  }
}
