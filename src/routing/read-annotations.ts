import type { ObjectReference, Problem } from '../api/problem.ts'
import type { HonouredAnnotation, UnhonouredAnnotation } from './annotation-row.ts'
import { type AnnotationOptions, honouredAnnotations } from './annotations.ts'
import type { Route } from './model.ts'
import { unhonouredAnnotations } from './unhonoured-annotations.ts'

export interface AnnotationReading {
  readonly options: AnnotationOptions
  /** Set when no route of the Ingress may be served. */
  readonly refusal: Route['refusal']
  /** The Ingress is no server of its own: it is left out as a whole. */
  readonly skip: boolean
  readonly problems: readonly Problem[]
}

interface Draft {
  readonly options: Record<string, unknown>
  readonly problems: Problem[]
  refusal: Route['refusal']
  skip: boolean
}

/** Reads the annotations of one Ingress that begin with `prefix/`. Security that can't be kept ends in a refusal. */
export function readAnnotations(
  texts: Readonly<Record<string, string>> | undefined,
  prefix: string,
  object: ObjectReference,
): AnnotationReading {
  const own = ownTexts(texts, `${prefix}/`)
  const draft: Draft = { options: {}, problems: [], refusal: undefined, skip: false }
  const report = (key: string, reason: string, message: string): void => {
    draft.problems.push({ object, field: `metadata.annotations[${prefix}/${key}]`, reason, message })
  }
  // What was read is taken out of `own`: most Ingresses have none or few, and there are rows by the hundred.
  for (const option in honouredAnnotations) {
    if (own.size === 0) break
    readHonoured(option, honouredAnnotations[option as keyof typeof honouredAnnotations], { own, draft, report })
  }
  for (const row of unhonouredAnnotations) {
    if (own.size === 0) break
    readUnhonoured(row, { own, draft, report })
  }
  for (const key of [...own.keys()].sort()) {
    report(
      key,
      'UnknownAnnotation',
      `annotation ${prefix}/${key} is not known and has no effect: correct its name or remove it`,
    )
  }
  return {
    options: draft.options,
    refusal: draft.refusal,
    skip: draft.skip,
    problems: draft.problems,
  }
}

interface Context {
  /** Annotations not yet accounted for. */
  readonly own: Map<string, string>
  readonly draft: Draft
  readonly report: (key: string, reason: string, message: string) => void
}

/** Keys without prefix; each line of a value without surrounding space, as ingress-nginx reads it. */
function ownTexts(texts: Readonly<Record<string, string>> | undefined, prefix: string): Map<string, string> {
  const own = new Map<string, string>()
  for (const [key, text] of Object.entries(texts ?? {})) {
    if (!key.startsWith(prefix)) continue
    const lines = text.split('\n')
    own.set(
      key.slice(prefix.length),
      lines
        .map(line => line.trim())
        .join('\n')
        .trim(),
    )
  }
  return own
}

function readHonoured(option: string, row: HonouredAnnotation<unknown>, { own, draft, report }: Context): void {
  const key = [row.key, ...row.aliases].find(name => own.has(name))
  if (key === undefined) return
  const text = own.get(key) ?? ''
  for (const name of [row.key, ...row.aliases]) own.delete(name)
  // An empty value counts as absent, but not where absence would open what an empty list closes.
  if (text === '' && row.onInvalid === 'default') return
  const value = row.read(text)
  if (value !== undefined) {
    draft.options[option] = value
    return
  }
  const consequence = row.onInvalid === 'refuse' ? 'the routes of this Ingress answer 503' : 'its default applies'
  report(key, 'InvalidAnnotation', `annotation ${key} can't be read and ${consequence}: it must be ${row.allowed}`)
  if (row.onInvalid === 'refuse') draft.refusal ??= { status: 503, reason: 'InvalidAnnotation' }
}

function readUnhonoured(row: UnhonouredAnnotation, { own, draft, report }: Context): void {
  const text = own.get(row.key)
  if (text === undefined) return
  own.delete(row.key)
  if (row.effect === 'ignored' || (text === '' && !row.security) || row.harmless(text)) return
  const allowed = row.allowed === '' ? 'remove it' : `remove it or set it to ${row.allowed}`
  report(
    row.key,
    'UnsupportedAnnotation',
    `annotation ${row.key} (${row.doc}) is not supported, ${consequences[row.effect]}: ${allowed}`,
  )
  if (row.effect === 'refused') draft.refusal ??= { status: 503, reason: 'UnsupportedAnnotation' }
  if (row.effect === 'skipped') draft.skip = true
}

const consequences = {
  unsupported: 'and the routes are served without it',
  refused: 'and serving without it would not be what was asked, so the routes of this Ingress answer 503',
  skipped: 'so this Ingress is not served',
} as const
