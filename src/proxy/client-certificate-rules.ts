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
  /** Host → digest of its rule. */
  readonly #rules = new Map<string, string>()
  #sessionContext = sessionContext

  /** At most 32 characters. */
  get sessionContext(): string {
    return this.#sessionContext
  }

  apply(delta: Delta): void {
    let isChanged = false
    for (const [name, host] of delta.hosts) {
      const rule = host?.clientCertificates
      const digest = rule === undefined ? undefined : digestOf(rule)
      if (digest === this.#rules.get(name)) continue
      isChanged = true
      if (digest === undefined) this.#rules.delete(name)
      else this.#rules.set(name, digest)
    }
    if (isChanged) this.#sessionContext = this.#rules.size === 0 ? sessionContext : this.#digest()
  }

  #digest(): string {
    const hash = createHash('sha256')
    const rules = [...this.#rules].sort(([one], [other]) => (one < other ? -1 : 1))
    for (const [name, digest] of rules) hash.update(`${name} ${digest}\n`)
    return hash.digest('hex').slice(0, 32)
  }
}

function digestOf(rule: ClientCertificateRule): string {
  const fields = Object.entries(rule).sort(([one], [other]) => (one < other ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex')
}
