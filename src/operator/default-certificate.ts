import type { IngressDeployment } from '../api/ingressdeployment.ts'
import { generatedCertificateName } from '../api/names.ts'
import { generateSelfSigned, type IssuedKeyPair } from '../certificates/generate.ts'
import { type CertificateFacts, inspectKeyPair } from '../certificates/inspect.ts'
import { foreignObject } from './apply-plan.ts'
import { decideGenerated, defaultHosts, judgeReferred, renewalTime } from './certificate.ts'
import type { CertificateVerdict, Failure } from './findings.ts'
import { belongsTo } from './ownership.ts'
import { instanceName } from './plan.ts'
import type { World } from './world.ts'

/** What an instance's default certificate is, or becomes when the plan is applied. */
export interface CertificateOutcome {
  readonly verdict: CertificateVerdict
  readonly keyPair: IssuedKeyPair | undefined
  /** When the verdict becomes another without any event. */
  readonly lookAgainAt?: Date
  readonly failure?: Failure
}

/** Judges the Secret that the spec refers to, or keeps, renews or makes the generated certificate. */
export async function decideCertificate(owner: IngressDeployment, world: World): Promise<CertificateOutcome> {
  const { namespace, name } = instanceName(owner)
  const { secretName: referred, generated } = owner.spec.tls.defaultCertificate
  const secretName = referred ?? generatedCertificateName({ namespace, name })
  if (!world.secrets.hasSynced(namespace)) {
    const message = `Secrets of namespace ${namespace} can't be read yet`
    return { verdict: { reason: 'CertificateNotFound', secretName, message }, keyPair: undefined }
  }
  const now = world.now()
  const secret = world.secrets.get(namespace, secretName)
  if (referred !== undefined) {
    const verdict = judgeReferred(referred, secret, now)
    const changesAt = nextChange(verdict.facts, now)
    return { verdict, keyPair: undefined, ...(changesAt === undefined ? {} : { lookAgainAt: changesAt }) }
  }
  if (secret !== undefined && !belongsTo({ namespace, name }, owner.metadata.uid, secret)) {
    const message = `Secret ${secretName} belongs to somebody else; see condition ObjectsApplied`
    return {
      verdict: { reason: 'IssueFailed', secretName, message },
      keyPair: undefined,
      failure: foreignObject(secret),
    }
  }
  const hosts = generated?.hosts ?? defaultHosts
  const decision = decideGenerated(secret, hosts, now)
  if (decision.action === 'keep') {
    const { keyPair, facts, renewAt } = decision
    return { verdict: { reason: 'Valid', secretName, facts }, keyPair, lookAgainAt: renewAt }
  }
  world.log.info({ namespace, name: secretName, why: decision.why }, 'certificate issued')
  return issue(secretName, hosts, now)
}

async function issue(secretName: string, hosts: readonly string[], now: Date): Promise<CertificateOutcome> {
  const keyPair = await generateSelfSigned({ hosts, now })
  const { facts, reason } = inspectKeyPair(keyPair.certificate, keyPair.key, now)
  if (facts === undefined || reason !== undefined) throw new Error('issuing a certificate: it came out unusable')
  return { verdict: { reason: 'Valid', secretName, facts }, keyPair, lookAgainAt: renewalTime(facts) }
}

/** The next end of the certificate's validity, from outside or from inside. */
function nextChange(facts: CertificateFacts | undefined, now: Date): Date | undefined {
  if (facts === undefined) return undefined
  // Validity ends after the second that is named.
  const edges = [Date.parse(facts.notBefore), Date.parse(facts.notAfter) + 1000]
  const next = edges.find(edge => edge > now.getTime())
  return next === undefined ? undefined : new Date(next)
}
