import { createHash } from 'node:crypto'
import type { ClientCertificateRule, Delta } from '../routing/model.ts'

const sessionContext = 'ingress-fleet'

/**
 * The rules of all hosts, told apart by one short text: TLS sessions resume where it is the same. A client that
 * resumes is not asked for its certificate, so a session of before a rule would lock out who now has one; and
 * OpenSSL's verdict is that of the handshake. Replicas with the same table have the same text; without any rule it
 * never changes.
 */
export class ClientCertificateRules {
  readonly #rules = new Map<string, ClientCertificateRule>()
  #sessionContext = sessionContext

  /** At most 32 characters. */
  get sessionContext(): string {
    return this.#sessionContext
  }

  apply(delta: Delta): void {
    let isChanged = false
    for (const [name, host] of delta.hosts) {
      const rule = host?.clientCertificates
      if (rule === undefined && !this.#rules.has(name)) continue
      isChanged = true
      if (rule === undefined) this.#rules.delete(name)
      else this.#rules.set(name, rule)
    }
    if (isChanged) this.#sessionContext = this.#rules.size === 0 ? sessionContext : this.#digest()
  }

  #digest(): string {
    const hash = createHash('sha256')
    for (const [name, rule] of [...this.#rules].sort(([one], [other]) => (one < other ? -1 : 1)))
      hash.update(JSON.stringify([name, Object.entries(rule).sort(([one], [other]) => (one < other ? -1 : 1))]))
    return hash.digest('hex').slice(0, 32)
  }
}
