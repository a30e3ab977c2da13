/** What a mistake in the annotation may break, as ingress-nginx classifies it (its annotations-risk.md). */
type Risk = 'low' | 'medium' | 'high' | 'critical'

/** Whether it concerns the paths of its Ingress, or the Ingress, its hosts and its backends as a whole. */
type Scope = 'location' | 'ingress'

interface Row {
  /** Name without prefix. */
  readonly key: string
  readonly scope: Scope
  readonly risk: Risk
  /** Without it the route would be less protected than its author asked. Then it fails closed, with 503. */
  readonly security: boolean
  readonly doc: string
}

/** An annotation that does what it says. */
export interface HonouredAnnotation<T> extends Row {
  readonly effect: 'honoured'
  /** Older names; the first name that is set counts. */
  readonly aliases: readonly string[]
  /** Value of a text without surrounding space; undefined when it is not allowed. */
  readonly read: (text: string) => T | undefined
  /** What `read` allows, for people. */
  readonly allowed: string
  /** A value that is not allowed: the default applies, or the routes answer 503. */
  readonly onInvalid: 'default' | 'refuse'
}

/**
 * An annotation that is known and has no effect of its own.
 *
 * - `ignored`: nothing is lost that a client or a backend could notice.
 * - `unsupported`: served without it, with a problem.
 * - `refused`: the routes answer 503, with a problem.
 * - `skipped`: the Ingress is not served at all, with a problem.
 */
export interface UnhonouredAnnotation extends Row {
  readonly effect: 'ignored' | 'unsupported' | 'refused' | 'skipped'
  /** Values with which nothing is lost: they make no problem. */
  readonly harmless: (text: string) => boolean
  /** The harmless values, for people; empty when there is none. */
  readonly allowed: string
}

type HonouredDraft<T> = Pick<HonouredAnnotation<T>, 'key' | 'read' | 'allowed' | 'risk' | 'doc'> &
  Partial<HonouredAnnotation<T>>

export function honoured<T>(draft: HonouredDraft<T>): HonouredAnnotation<T> {
  return { scope: 'location', security: false, aliases: [], onInvalid: 'default', ...draft, effect: 'honoured' }
}

type UnhonouredDraft = Pick<UnhonouredAnnotation, 'key' | 'risk' | 'doc'> & Partial<UnhonouredAnnotation>

const never = (): boolean => false

export function ignored(draft: UnhonouredDraft): UnhonouredAnnotation {
  return unhonoured('ignored', draft)
}

export function unsupported(draft: UnhonouredDraft): UnhonouredAnnotation {
  return unhonoured('unsupported', draft)
}

export function refused(draft: UnhonouredDraft): UnhonouredAnnotation {
  return unhonoured('refused', draft)
}

/** Refused, and about who or how much may come through. */
export function refusedProtection(draft: UnhonouredDraft): UnhonouredAnnotation {
  return unhonoured('refused', { ...draft, security: true })
}

export function skipped(draft: UnhonouredDraft): UnhonouredAnnotation {
  return unhonoured('skipped', draft)
}

function unhonoured(effect: UnhonouredAnnotation['effect'], draft: UnhonouredDraft): UnhonouredAnnotation {
  return { scope: 'location', security: false, harmless: never, allowed: '', ...draft, effect }
}
