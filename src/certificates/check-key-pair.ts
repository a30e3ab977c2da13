import { inspectKeyPair } from './inspect.ts'

/** What the routing engine asks of a Secret's pair; its `CheckKeyPair` in form. */
export type KeyPairCheck =
  | {
      readonly ok: true
      readonly hosts: readonly string[]
      /** RFC 3339. */
      readonly notAfter: string
      readonly warning?: string
      readonly warningReason?: string
    }
  | { readonly ok: false; readonly reason: string; readonly message: string }

/**
 * A check for `TranslatorOptions.checkKeyPair`. A pair that belongs together but is not valid at this time is served
 * with a warning: clients that trust it all the same go on, and the others see why.
 */
export function createKeyPairCheck(now: () => Date): (certificatePem: string, keyPem: string) => KeyPairCheck {
  return (certificatePem, keyPem) => {
    const inspected = inspectKeyPair(certificatePem, keyPem, now())
    if (inspected.reason === undefined) {
      return { ok: true, hosts: inspected.facts.hosts, notAfter: inspected.facts.notAfter }
    }
    const { reason, message, facts } = inspected
    const outOfTime = reason === 'Expired' || reason === 'NotYetValid'
    if (!outOfTime || facts === undefined) return { ok: false, reason, message }
    return { ok: true, hosts: facts.hosts, notAfter: facts.notAfter, warning: message, warningReason: reason }
  }
}
