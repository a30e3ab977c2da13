import { type Profiler, Session } from 'node:inspector'

/** What V8 has run of the files under `src/`, octet by octet of their text. Slows the process down while it lives. */
export class Coverage {
  readonly #session = new Session()
  /** Script → 1 for each character that ran. */
  readonly #ran = new Map<string, Uint8Array>()
  readonly #kinds = new Set<string>()

  start(): void {
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  stop(): void {
    this.#session.disconnect()
  }

  /** True when something ran since the last look that never did before, or an outcome is of a kind that is new. */
  takeNew(kinds: readonly string[]): boolean {
    const before = this.#kinds.size
    for (const kind of kinds) this.#kinds.add(kind)
    let isNew = this.#kinds.size > before
    for (const script of this.#take()) {
      const ran = charactersRun(script)
      if (this.#holdsNew(script.url, ran)) isNew = true
      this.#note(script.url, ran)
    }
    return isNew
  }

  /** The same question, but what was new stays so. */
  hasNew(kinds: readonly string[]): boolean {
    const scripts = this.#take()
    return (
      kinds.some(kind => !this.#kinds.has(kind)) || scripts.some(one => this.#holdsNew(one.url, charactersRun(one)))
    )
  }

  /** Characters of `src/` that ran. */
  get size(): number {
    let size = 0
    for (const ran of this.#ran.values()) size += ran.reduce((sum, one) => sum + one, 0)
    return size
  }

  #take(): readonly Profiler.ScriptCoverage[] {
    let scripts: readonly Profiler.ScriptCoverage[] = []
    // The session is of this process, so the answer is there when the call returns.
    this.#session.post('Profiler.takePreciseCoverage', (_, taken) => {
      scripts = taken.result
    })
    return scripts.filter(({ url }) => url.includes('/src/') && !url.includes('/node_modules/'))
  }

  #holdsNew(url: string, ran: Uint8Array): boolean {
    const before = this.#ran.get(url)
    return ran.some((one, at) => one === 1 && before?.[at] !== 1)
  }

  #note(url: string, ran: Uint8Array): void {
    const before = this.#ran.get(url) ?? new Uint8Array()
    const [longer, shorter] = before.length > ran.length ? [before, ran] : [ran, before]
    shorter.forEach((one, at) => {
      if (one === 1) longer[at] = 1
    })
    this.#ran.set(url, longer)
  }
}

/** 1 for each character of a script that ran. */
function charactersRun({ functions }: Profiler.ScriptCoverage): Uint8Array {
  const running = functions.filter(({ ranges }) => (ranges[0]?.count ?? 0) > 0)
  const ran = new Uint8Array(Math.max(0, ...running.map(({ ranges }) => ranges[0]?.endOffset ?? 0)))
  // The ranges of a function are nested: what is told later is more exact.
  for (const { ranges } of running) {
    for (const { startOffset, endOffset, count } of ranges) ran.fill(count > 0 ? 1 : 0, startOffset, endOffset)
  }
  return ran
}
