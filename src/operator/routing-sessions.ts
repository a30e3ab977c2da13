import type { Ingress } from '../api/kubernetes.ts'
import type { Problem } from '../api/problem.ts'
import type { InstanceConfiguration } from '../api/settings.ts'
import { checkAuthorities } from '../certificates/check-authorities.ts'
import { type ServedScope, servesIngress } from '../routing/ingress-class.ts'
import { instanceTranslatorOptions } from '../routing/instance-translator-options.ts'
import type { Change } from '../routing/snapshot.ts'
import { createTranslator, type Translator, type TranslatorOptions } from '../routing/translator.ts'
import type { Address } from './status.ts'

/** What is known of how one instance serves: kept while it exists, and not written anywhere. */
export interface RoutingSession {
  readonly key: string
  /** Nothing is written for a paused instance. */
  readonly paused: boolean
  /** Where its Ingresses are reached; undefined until it was looked at. */
  readonly addresses: readonly Address[] | undefined
}

export interface RoutingSessionsOptions {
  /** Every object that routing depends on, as it is now. */
  readonly everything: () => readonly Change[]
  readonly checkKeyPair: TranslatorOptions['checkKeyPair']
  /** Namespaces with Secret references of an instance became others. */
  readonly onReferences: (key: string) => void
  /** Ingresses may now be served by another instance, or none, or under other addresses. */
  readonly onIngresses: (ingressKeys: Iterable<string>) => void
  /** Problems of an instance's Ingresses, or the Ingresses themselves, changed. */
  readonly onFindings: (key: string) => void
}

interface Session extends RoutingSession {
  readonly translator: Translator
  readonly scope: ServedScope
  readonly configuration: string
}

/**
 * The proxy's own routing translator, once per instance: which Ingresses it serves, which Secrets they refer to, and
 * what is wrong with them. Changes are handed on once per turn of the event loop.
 */
export class RoutingSessions {
  readonly #options: RoutingSessionsOptions
  readonly #sessions = new Map<string, Session>()
  #pending: Change[] = []
  #flushing: NodeJS.Immediate | undefined

  constructor(options: RoutingSessionsOptions) {
    this.#options = options
  }

  get(key: string): RoutingSession | undefined {
    return this.#sessions.get(key)
  }

  /** Begins or adapts the session of an instance, and tells in which namespaces its Ingresses refer to Secrets. */
  configure(key: string, configuration: InstanceConfiguration, paused: boolean): ReadonlySet<string> {
    this.flush()
    const text = JSON.stringify([configuration.ingressClass, configuration.namespaces, configuration.ingressSelector])
    const scope = scopeOf(configuration)
    const before = this.#sessions.get(key)
    if (before?.configuration === text) {
      if (before.paused !== paused) this.#setPaused(before, paused)
      return before.translator.references().secretNamespaces
    }
    const affected = new Set(servedKeys(before))
    const translator = before?.translator ?? createTranslator(this.#translatorOptions(configuration))
    if (before) translator.reconfigure(this.#translatorOptions(configuration))
    else translator.apply(this.#options.everything())
    const session = { key, translator, scope, configuration: text, paused, addresses: before?.addresses }
    this.#sessions.set(key, session)
    for (const ingress of servedKeys(session)) affected.add(ingress)
    this.#options.onIngresses(affected)
    this.#options.onFindings(key)
    return translator.references().secretNamespaces
  }

  #setPaused(session: Session, paused: boolean): void {
    this.#sessions.set(session.key, { ...session, paused })
    // What changed while nothing was written is made good.
    this.#options.onIngresses(servedKeys(session))
    this.#options.onFindings(session.key)
  }

  setAddresses(key: string, addresses: readonly Address[]): void {
    const session = this.#sessions.get(key)
    if (session === undefined || JSON.stringify(session.addresses) === JSON.stringify(addresses)) return
    this.#sessions.set(key, { ...session, addresses })
    this.#options.onIngresses(servedKeys(session))
  }

  /** Gives the Ingresses that were served: their status is the caller's to look at. */
  end(key: string): readonly string[] {
    const session = this.#sessions.get(key)
    this.#sessions.delete(key)
    return servedKeys(session)
  }

  /** The instance that serves this Ingress. Of several default ones the first by name tells its addresses. */
  claimant(ingress: Ingress): RoutingSession | undefined {
    return [...this.#sessions.values()]
      .filter(({ scope }) => servesIngress(ingress, scope))
      .toSorted((one, other) => (one.key < other.key ? -1 : 1))[0]
  }

  /** `namespace/name` of the Ingresses that an instance serves. */
  served(key: string): readonly string[] {
    return servedKeys(this.#sessions.get(key))
  }

  problems(key: string): readonly Problem[] {
    return this.#sessions.get(key)?.translator.problems() ?? []
  }

  take(change: Change): void {
    if (this.#sessions.size === 0) return
    this.#pending.push(change)
    this.#flushing ??= setImmediate(() => this.flush())
  }

  /** Hands on what is pending. */
  flush(): void {
    clearImmediate(this.#flushing)
    this.#flushing = undefined
    const changes = this.#pending
    if (changes.length === 0) return
    this.#pending = []
    for (const session of this.#sessions.values()) this.#apply(session, changes)
  }

  stop(): void {
    clearImmediate(this.#flushing)
    this.#pending = []
    this.#sessions.clear()
  }

  #apply({ key, translator }: Session, changes: readonly Change[]): void {
    const before = listed(translator.references().secretNamespaces)
    const { problems } = translator.apply(changes)
    if (listed(translator.references().secretNamespaces) !== before) this.#options.onReferences(key)
    const ingresses = changes.some(({ kind }) => kind === 'Ingress')
    if (ingresses || problems.added.length > 0 || problems.resolved.length > 0) this.#options.onFindings(key)
  }

  #translatorOptions(configuration: InstanceConfiguration): TranslatorOptions {
    return instanceTranslatorOptions(configuration, {
      // Judged by the operator's own condition CertificateReady.
      defaultCertificate: undefined,
      checkKeyPair: this.#options.checkKeyPair,
      checkAuthorities,
    })
  }
}

function scopeOf({ ingressClass, namespaces, ingressSelector }: InstanceConfiguration): ServedScope {
  return {
    className: ingressClass.name,
    isDefault: ingressClass.isDefault,
    namespaces: namespaces === null ? null : new Set(namespaces),
    ingressSelector,
  }
}

function servedKeys(session: Session | undefined): readonly string[] {
  return (session?.translator.served() ?? []).map(({ namespace, name }) => `${namespace}/${name}`)
}

function listed(names: ReadonlySet<string>): string {
  return [...names].toSorted().join(' ')
}
