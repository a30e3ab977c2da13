import type { ProxySettings } from '../api/settings.ts'
import type { Backend, Certificate, Delta, Host } from '../routing/model.ts'

/** The sum of all deltas so far: what a worker that starts now is given. */
export class TableState {
  readonly #hosts = new Map<string, Host>()
  readonly #backends = new Map<string, Backend>()
  readonly #certificates = new Map<string, Certificate>()
  /** Before the first delta, whose revision may be 0: a source may be empty. */
  #revision = -1
  #defaultCertificate: string | undefined
  #settings: ProxySettings | undefined

  apply(delta: Delta): void {
    if (delta.revision <= this.#revision) {
      throw new Error(`revision ${delta.revision} was published after ${this.#revision}: revisions must grow`)
    }
    merge(this.#hosts, delta.hosts)
    merge(this.#backends, delta.backends)
    merge(this.#certificates, delta.certificates)
    this.#revision = delta.revision
    this.#defaultCertificate = delta.defaultCertificate ?? this.#defaultCertificate
    this.#settings = delta.settings ?? this.#settings
  }

  /** As the delta from nothing. */
  full(): Delta {
    return {
      revision: Math.max(0, this.#revision),
      hosts: new Map(this.#hosts),
      backends: new Map(this.#backends),
      certificates: new Map(this.#certificates),
      ...(this.#defaultCertificate === undefined ? {} : { defaultCertificate: this.#defaultCertificate }),
      ...(this.#settings === undefined ? {} : { settings: this.#settings }),
    }
  }
}

function merge<Value>(into: Map<string, Value>, changes: ReadonlyMap<string, Value | undefined>): void {
  for (const [key, value] of changes) {
    if (value === undefined) into.delete(key)
    else into.set(key, value)
  }
}
