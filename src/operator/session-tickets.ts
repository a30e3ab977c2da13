import { randomBytes } from 'node:crypto'
import type { IngressDeployment } from '../api/ingressdeployment.ts'
import type { Secret } from '../api/kubernetes.ts'
import { sessionTicketKeys, sessionTicketSecretName } from '../api/names.ts'
import { foreignObject } from './apply-plan.ts'
import type { Failure } from './findings.ts'
import { belongsTo } from './ownership.ts'
import { instanceName } from './plan.ts'
import type { World } from './world.ts'

/** What the Secret holds. */
export interface TicketKeys {
  /** 48 random octets in base64. Never logged. */
  readonly key: string
  /** RFC 3339. */
  readonly issuedAt: string
}

export interface TicketDecision {
  readonly keys: TicketKeys | undefined
  readonly rotateAt: Date
  readonly failure?: Failure
}

/** Who gets hold of the key can read the recorded sessions of so long, those of TLS 1.2 whole. */
export const rotationMs = 12 * 3_600_000

const keyBytes = 48

/** Keeps the keys that are there, or makes new ones; undefined while Secrets can't be read. */
export function decideTicketKeys(owner: IngressDeployment, world: World): TicketDecision | undefined {
  const { namespace, name } = instanceName(owner)
  if (!world.secrets.hasSynced(namespace)) return undefined
  const secret = world.secrets.get(namespace, sessionTicketSecretName({ namespace, name }))
  if (secret !== undefined && !belongsTo({ namespace, name }, owner.metadata.uid, secret))
    return { keys: undefined, rotateAt: new Date(world.now().getTime() + rotationMs), failure: foreignObject(secret) }
  return rotateTicketKeys(secret, world.now())
}

/** Keys are as old as `rotationMs` at most; what can't be read is made anew. */
export function rotateTicketKeys(secret: Secret | undefined, now: Date): TicketDecision {
  const key = secret?.data?.[sessionTicketKeys.key] ?? ''
  const issuedAt = Buffer.from(secret?.data?.[sessionTicketKeys.issuedAt] ?? '', 'base64').toString()
  const issuedMs = Date.parse(issuedAt)
  const rotateAt = new Date((Number.isNaN(issuedMs) ? 0 : issuedMs) + rotationMs)
  const isWhole = Buffer.from(key, 'base64').length === keyBytes
  // A time to come is that of a clock that was wrong: it must not put off the rotation.
  if (isWhole && issuedMs <= now.getTime() && now < rotateAt) return { keys: { key, issuedAt }, rotateAt }
  return {
    keys: { key: randomBytes(keyBytes).toString('base64'), issuedAt: now.toISOString() },
    rotateAt: new Date(now.getTime() + rotationMs),
  }
}
