import { type RetryCondition, retryConditions } from '../api/settings.ts'
import { parseSourceRange, type SourceRange } from './source-ranges.ts'

/** How the texts of annotations and of the ingress-nginx ConfigMap are read; undefined is a text that is not allowed. */

const truths = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const falsehoods = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

export const booleanAllowed = '"true" or "false" (also 1, t, T, TRUE, True, 0, f, F, FALSE, False)'

/** As Go's strconv.ParseBool: `yes` and `on` are no booleans. */
export function readBoolean(text: string): boolean | undefined {
  if (truths.has(text)) return true
  return falsehoods.has(text) ? false : undefined
}

export function isFalse(text: string): boolean {
  return readBoolean(text) === false
}

export const countAllowed = 'a whole number from 0, as in "3"'

/** A whole number from 0, in decimal digits. */
export function readCount(text: string): number | undefined {
  if (!/^\+?\d{1,16}$/.test(text)) return undefined
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : undefined
}

/** The longest time a timer can hold is 2^31 - 1 ms, about 24 days; longer ones are cut to it. */
const maxTimerMs = 2_147_483_647

export const secondsAllowed = 'a whole number of seconds from 1, without unit, as in "60"'

/** Whole seconds without unit, in milliseconds. */
export function readSeconds(text: string): number | undefined {
  const seconds = readCount(text)
  return seconds === undefined || seconds < 1 ? undefined : Math.min(seconds * 1000, maxTimerMs)
}

const unitSeconds: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400, '': 1 }

export const durationAllowed = 'a time with a unit of ms, s, m, h or d, as in "240s"; seconds without one'

/** A time of nginx (one number and its unit), in milliseconds. */
export function readDuration(text: string): number | undefined {
  const parts = /^(\d{1,12})(ms|s|m|h|d)?$/.exec(text)
  const seconds = Number(parts?.[1] ?? Number.NaN) * (unitSeconds[parts?.[2] ?? ''] ?? Number.NaN)
  return Number.isNaN(seconds) || seconds <= 0 ? undefined : Math.min(Math.round(seconds * 1000), maxTimerMs)
}

const unitBytes: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, '': 1 }

export const sizeAllowed = 'a number of bytes, or with the unit k, m or g, as in "8m"; "0" for no limit'

/** A size of nginx, in bytes. */
export function readSize(text: string): number | undefined {
  const parts = /^(\d{1,15})([bkmg])?$/i.exec(text)
  const bytes = Number(parts?.[1] ?? Number.NaN) * (unitBytes[parts?.[2]?.toLowerCase() ?? ''] ?? Number.NaN)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

export const bufferSizeAllowed =
  'a number of bytes from 1, or with the unit k, m or g, as in "64k"; more than 64m counts as 64m'

/** What one request may hold is bounded, as the typed field is. */
const maxBufferBytes = 67_108_864

export function readBufferSize(text: string): number | undefined {
  const bytes = readSize(text)
  return bytes === undefined || bytes < 1 ? undefined : Math.min(bytes, maxBufferBytes)
}

export const switchAllowed = '"on" or "off"'

/** A switch of nginx. */
export function readSwitch(text: string): boolean | undefined {
  if (text === 'on') return true
  return text === 'off' ? false : undefined
}

export const secondsOrNoneAllowed = 'a whole number of seconds, without unit, as in "10"; "0" for the default'

/** Whole seconds without unit, in milliseconds; 0 is allowed. */
export function readSecondsOrNone(text: string): number | undefined {
  const seconds = readCount(text)
  return seconds === undefined ? undefined : Math.min(seconds * 1000, maxTimerMs)
}

export const retryConditionsAllowed = `one or several of ${retryConditions.join(', ')}, separated by spaces`

export function readRetryConditions(text: string): readonly RetryCondition[] | undefined {
  const words = text.split(/\s+/)
  const conditions = retryConditions.filter(condition => words.includes(condition))
  return new Set(words).size === conditions.length ? conditions : undefined
}

export const sourceRangesAllowed =
  'networks in CIDR notation or addresses, separated by commas, as in "192.0.2.0/24,2001:db8::/32"'

/** A comma-separated list of networks; one that can't be read spoils the list. */
export function readSourceRanges(text: string): readonly SourceRange[] | undefined {
  const ranges: SourceRange[] = []
  for (const part of text.split(',')) {
    const range = parseSourceRange(part.trim())
    if (range === undefined) return undefined
    ranges.push(range)
  }
  return ranges
}

export const authorityAllowed = 'a host name or address, with a port or without, as in "app.example.com"; no variables'

/** What may stand in a Host header field (RFC 9110 section 7.2), without nginx variables. */
export function readAuthority(text: string): string | undefined {
  return text.length <= 260 && /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/.test(text) ? text : undefined
}

/** Is the text one of these? */
export function oneOf(...values: string[]): (text: string) => boolean {
  return text => values.includes(text)
}

/** Reads a text that must be one of these. */
export function readOneOf<const Value extends string>(
  ...values: readonly Value[]
): (text: string) => Value | undefined {
  return text => values.find(value => value === text)
}
