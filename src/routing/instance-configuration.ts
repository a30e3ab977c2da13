import type { LabelSelector } from '../api/kubernetes.ts'
import { algorithms } from '../api/load-balance.ts'
import { type InstanceConfiguration, retryConditions } from '../api/settings.ts'
import { tlsFault, tlsVersions } from '../api/tls-profile.ts'
import { defaultSettings } from './default-settings.ts'

/** The field of `instance.json` that can't be used; empty when it is the whole. */
interface ConfigurationFault {
  readonly field: string
  /** What it must be and what it is, for people. */
  readonly message: string
}

export type InstanceReading =
  | { readonly configuration: InstanceConfiguration; readonly fault?: undefined }
  | { readonly configuration?: undefined; readonly fault: ConfigurationFault }

type Mapping = Readonly<Record<string, unknown>>

/** What a value must be. */
interface Rule<Value = unknown> {
  readonly allowed: string
  readonly fits: (value: unknown) => value is Value
}

/**
 * Reads `instance.json`, which an operator of another version may have written: settings that it does not hold get
 * their defaults, those that are not known here are left out. What says whom to serve must be there, since no default
 * of it could be trusted not to serve too much.
 */
export function readInstanceConfiguration(text: string): InstanceReading {
  try {
    const given = checked(JSON.parse(text), '', mapping)
    const settings = filled(given['settings'], 'settings', defaultSettings)
    const unusable = tlsFault(settings.tls)
    if (unusable !== undefined) throw new FieldFault('settings.tls', unusable)
    return { configuration: { ...scopeOf(given), settings } }
  } catch (error) {
    if (error instanceof FieldFault) return { fault: { field: error.field, message: error.message } }
    if (error instanceof SyntaxError) return { fault: { field: '', message: `must be JSON: ${error.message}` } }
    throw error
  }
}

/** Leaves the reading of one text at its first fault; it does not leave this file. */
class FieldFault extends Error {
  readonly field: string

  constructor(field: string, message: string) {
    super(message)
    this.field = field
  }
}

function scopeOf(given: Mapping): Omit<InstanceConfiguration, 'settings'> {
  const instance = checked(given['instance'], 'instance', mapping)
  const ingressClass = checked(given['ingressClass'], 'ingressClass', mapping)
  return {
    instance: {
      namespace: checked(instance['namespace'], 'instance.namespace', word),
      name: checked(instance['name'], 'instance.name', word),
    },
    ingressClass: {
      name: checked(ingressClass['name'], 'ingressClass.name', word),
      isDefault: checked(ingressClass['isDefault'], 'ingressClass.isDefault', truth),
      controller: checked(ingressClass['controller'], 'ingressClass.controller', word),
    },
    namespaces: checked(given['namespaces'], 'namespaces', orNull(words)),
    ingressSelector: checked(given['ingressSelector'], 'ingressSelector', orNull(selector)),
    secretNamespaces: checked(given['secretNamespaces'], 'secretNamespaces', words),
    defaultCertificateSecretName: checked(given['defaultCertificateSecretName'], 'defaultCertificateSecretName', word),
  }
}

/** `given` in the shape of `standard`, whose values stand in for those that are absent. */
function filled<Value>(given: unknown, field: string, standard: Value): Value {
  if (given === undefined) return standard
  const rule = settingRules[field] ?? ruleLike(standard)
  if (rule !== mapping) return checked(given, field, rule) as Value
  const parts = checked(given, field, mapping)
  const entries = Object.entries(standard as Mapping)
  return Object.fromEntries(
    entries.map(([name, part]) => [name, filled(parts[name], `${field}.${name}`, part)]),
  ) as Value
}

function checked<Value>(given: unknown, field: string, { allowed, fits }: Rule<Value>): Value {
  if (fits(given)) return given
  throw new FieldFault(field, `must be ${allowed}; it is ${shown(given)}`)
}

/** A value as text, cut short: it may be of any size. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'absent'
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`
}

const mapping: Rule<Mapping> = { allowed: 'an object', fits: isMapping }
const truth: Rule<boolean> = { allowed: 'true or false', fits: value => typeof value === 'boolean' }
const quantity: Rule<number> = {
  allowed: 'a number of at least 0',
  fits: (value): value is number => typeof value === 'number' && value >= 0,
}
const word: Rule<string> = { allowed: 'a text, not empty', fits: isWord }
const words: Rule<readonly string[]> = { allowed: 'a list of texts', fits: isWords }
const someWords: Rule<readonly string[]> = {
  allowed: 'a list of names, not empty',
  fits: (value): value is readonly string[] => isWords(value) && value.length > 0,
}
const selector: Rule<LabelSelector> = { allowed: 'a label selector of Kubernetes', fits: isSelector }

/** Settings that are not of one type, or not of any value of their type. */
const settingRules: Readonly<Record<string, Rule>> = {
  'settings.workers': {
    allowed: '"auto" or a whole number of at least 1',
    fits: (value): value is unknown => value === 'auto' || (Number.isSafeInteger(value) && Number(value) >= 1),
  },
  'settings.accessLog': oneOf(['off', 'text', 'json']),
  'settings.retries.on': {
    allowed: `"safe" or a list of ${retryConditions.join(', ')}`,
    fits: (value): value is unknown => value === 'safe' || (isWords(value) && value.every(isRetryCondition)),
  },
  'settings.loadBalance.algorithm': oneOf(algorithms),
  'settings.tls.minVersion': oneOf(tlsVersions),
  'settings.tls.maxVersion': oneOf(tlsVersions),
  'settings.tls.cipherSuites': someWords,
  'settings.tls.curves': someWords,
  'settings.redirectStatus': oneOf([301, 302, 307, 308]),
}

function ruleLike(standard: unknown): Rule {
  if (typeof standard === 'number') return quantity
  return typeof standard === 'boolean' ? truth : mapping
}

function isRetryCondition(text: string): boolean {
  return (retryConditions as readonly string[]).includes(text)
}

function oneOf(values: readonly unknown[]): Rule {
  return {
    allowed: `one of ${values.map(value => JSON.stringify(value)).join(', ')}`,
    fits: (value): value is unknown => values.includes(value),
  }
}

function orNull<Value>({ allowed, fits }: Rule<Value>): Rule<Value | null> {
  return { allowed: `${allowed} or null`, fits: (value): value is Value | null => value === null || fits(value) }
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isWords(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isWord)
}

/** Operators that are not known here select nothing: `labelsMatch` sees to it. */
function isSelector(value: unknown): value is LabelSelector {
  if (!isMapping(value)) return false
  const { matchLabels = {}, matchExpressions = [] } = value
  if (!isMapping(matchLabels) || !Array.isArray(matchExpressions)) return false
  if (!Object.values(matchLabels).every(label => typeof label === 'string')) return false
  return matchExpressions.every(one => {
    if (!isMapping(one) || !isWord(one['key']) || !isWord(one['operator'])) return false
    const values: unknown = one['values'] ?? []
    return Array.isArray(values) && values.every(label => typeof label === 'string')
  })
}
