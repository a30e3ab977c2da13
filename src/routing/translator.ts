import type { LabelSelector } from '../api/kubernetes.ts'
import { defaultClassAnnotation } from '../api/names.ts'
import type { Problem } from '../api/problem.ts'
import type { IngressClassIdentity, ProxySettings } from '../api/settings.ts'
import type { CheckKeyPair } from './certificate-book.ts'
import type { CheckAuthorities } from './client-certificates.ts'
import { compareText } from './compare-text.ts'
import { servesIngress } from './ingress-class.ts'
import { readIngress } from './ingress-model.ts'
import { Marks } from './marks.ts'
import type { ChangedObject, Delta } from './model.ts'
import { ModelBuilder } from './model-builder.ts'
import type { ProblemChanges } from './problem-ledger.ts'
import { sameData } from './same-data.ts'
import { type Change, objectKey, Snapshot } from './snapshot.ts'

export interface TranslatorOptions {
  readonly ingressClass: IngressClassIdentity
  /**
   * `fixed`: the operator gives the identity, IngressClass objects are not looked at. `objects`: the class is also the
   * default one when its IngressClass object says so.
   */
  readonly classes: 'fixed' | 'objects'
  /** Namespaces whose Ingresses are served; null is all of them. */
  readonly namespaces: ReadonlySet<string> | null
  readonly ingressSelector: LabelSelector | null
  /** Let endpoints be on the proxy's own host, as with `serve`. */
  readonly allowLoopbackEndpoints: boolean
  /** Zone of the proxy: endpoints whose hints name it come first. Absent, hints are not looked at. */
  readonly zone?: string | undefined
  /** Prefix of annotations, without slash. */
  readonly annotationsPrefix: string
  /** Secret with the certificate for hosts that have none of their own. */
  readonly defaultCertificate: { readonly namespace: string; readonly name: string } | undefined
  readonly checkKeyPair: CheckKeyPair
  readonly checkAuthorities: CheckAuthorities
  readonly settings: ProxySettings
}

export interface Translation {
  /** What the table must take in; undefined when nothing of it changed. */
  readonly delta: Delta | undefined
  /** The objects that brought the delta about, without those whose change made no difference, and those that were staged. */
  readonly changed: readonly ChangedObject[]
  readonly problems: ProblemChanges
}

interface SecretReferences {
  /** `namespace/name` of the Secrets that served Ingresses refer to, whether they exist or not. */
  readonly secrets: ReadonlySet<string>
  readonly secretNamespaces: ReadonlySet<string>
}

/**
 * Turns changes of objects into changes of the routing table. What it has given so far always adds up to what a new
 * translator would give for the objects as they are now, but for certificates: a broken Secret keeps the last good one.
 */
export interface Translator {
  apply(changes: readonly Change[]): Translation
  /** Other options; those that are left out stay. */
  reconfigure(options: Partial<TranslatorOptions>): Translation
  /** Takes changes in as they come, of which nothing can be told before all are there: the next `apply` does. */
  stage(changes: readonly Change[]): void
  /** The same for other options. */
  stageOptions(options: Partial<TranslatorOptions>): void
  /** Every problem that there is now, in a fixed order. */
  problems(): readonly Problem[]
  references(): SecretReferences
  /** Ingresses of our class and scope, in order of their names. */
  served(): readonly { readonly namespace: string; readonly name: string }[]
  /** Number of objects held. */
  snapshotSize(): number
}

export function createTranslator(options: TranslatorOptions): Translator {
  return new IncrementalTranslator(options)
}

class IncrementalTranslator implements Translator {
  #options: TranslatorOptions
  readonly #snapshot = new Snapshot()
  readonly #builder: ModelBuilder
  readonly #served = new Map<string, { readonly namespace: string; readonly name: string }>()
  #isDefault: boolean
  /** Of what was staged since the last translation. */
  #marks = new Marks()

  constructor(options: TranslatorOptions) {
    this.#options = options
    this.#builder = new ModelBuilder(options, this.#snapshot)
    this.#isDefault = options.ingressClass.isDefault
  }

  apply(changes: readonly Change[]): Translation {
    this.#take(changes, nameOf)
    return this.#build()
  }

  reconfigure(options: Partial<TranslatorOptions>): Translation {
    this.stageOptions(options)
    return this.#build()
  }

  stage(changes: readonly Change[]): void {
    this.#take(changes, () => [])
  }

  stageOptions(changed: Partial<TranslatorOptions>): void {
    const before = this.#options
    const options = { ...before, ...changed }
    this.#options = options
    this.#isDefault = this.#isDefaultClass()
    const again = options.annotationsPrefix !== before.annotationsPrefix
    if (again || !sameData(scopeOf(before), scopeOf(options))) {
      for (const key of this.#snapshot.ingressKeys()) this.#readIngress(key, [], again)
    }
    this.#builder.reconfigure(options, this.#marks)
  }

  problems(): readonly Problem[] {
    return this.#builder.problems.all()
  }

  references(): SecretReferences {
    const secrets = new Set([...this.#builder.index.secrets()].sort())
    return { secrets, secretNamespaces: new Set([...secrets].map(key => key.slice(0, key.indexOf('/')))) }
  }

  served(): readonly { readonly namespace: string; readonly name: string }[] {
    return [...this.#served.values()].sort(
      (one, other) => compareText(one.namespace, other.namespace) || compareText(one.name, other.name),
    )
  }

  snapshotSize(): number {
    return this.#snapshot.size
  }

  #build(): Translation {
    const marks = this.#marks
    this.#marks = new Marks()
    return this.#builder.build(marks)
  }

  #take(changes: readonly Change[], causesOf: (change: Change) => readonly ChangedObject[]): void {
    const ingresses = new Map<string, readonly ChangedObject[]>()
    for (const change of distinct(changes)) {
      const causes = causesOf(change)
      this.#mark(change, causes)
      if (change.kind === 'Ingress') ingresses.set(objectKey(change.namespace, change.name), causes)
    }
    this.#followDefaultClass(ingresses)
    for (const [key, causes] of ingresses) this.#readIngress(key, causes, false)
  }

  #mark(change: Change, causes: readonly ChangedObject[]): void {
    const { kind, namespace, name } = change
    for (const service of this.#snapshot.set(change)) this.#builder.markService(service, causes, this.#marks)
    const key = objectKey(namespace, name)
    if (kind === 'Service') this.#builder.markService(key, causes, this.#marks)
    if (kind === 'Secret') this.#builder.markSecret(key, causes, this.#marks)
  }

  /** A class that becomes the default one, or ceases to be, changes which Ingresses are ours. */
  #followDefaultClass(ingresses: Map<string, readonly ChangedObject[]>): void {
    const isDefault = this.#isDefaultClass()
    if (isDefault === this.#isDefault) return
    this.#isDefault = isDefault
    const cause = { kind: 'IngressClass', namespace: '', name: this.#options.ingressClass.name }
    for (const key of this.#snapshot.ingressKeys()) ingresses.set(key, [...(ingresses.get(key) ?? []), cause])
  }

  #isDefaultClass(): boolean {
    const { ingressClass, classes } = this.#options
    if (ingressClass.isDefault || classes === 'fixed') return ingressClass.isDefault
    const object = this.#snapshot.classes.get(ingressClass.name)
    return object?.metadata.annotations?.[defaultClassAnnotation] === 'true'
  }

  #readIngress(key: string, causes: readonly ChangedObject[], again: boolean): void {
    const context = { causes, marks: this.#marks }
    const ingress = this.#snapshot.ingress(key)
    const { ingressClass, namespaces, ingressSelector, annotationsPrefix } = this.#options
    const scope = { className: ingressClass.name, isDefault: this.#isDefault, namespaces, ingressSelector }
    const isServed = ingress !== undefined && servesIngress(ingress, scope)
    const before = this.#builder.index.get(key)
    if (!isServed) {
      this.#served.delete(key)
      if (before !== undefined) this.#builder.replaceIngress(key, undefined, context)
      return
    }
    this.#served.set(key, { namespace: ingress.metadata.namespace ?? '', name: ingress.metadata.name })
    const said = this.#snapshot.packedIngress(key)?.said ?? ''
    // Most updates of an Ingress are of its status or its managed fields.
    if (before?.said === said && !again) return
    this.#builder.replaceIngress(key, { ...readIngress(ingress, annotationsPrefix), said }, context)
  }
}

function nameOf({ kind, namespace, name }: Change): readonly ChangedObject[] {
  return [{ kind, namespace, name }]
}

/** Of several changes of one object only the last counts. */
function distinct(changes: readonly Change[]): Iterable<Change> {
  return new Map(changes.map(change => [`${change.kind}/${change.namespace}/${change.name}`, change])).values()
}

function scopeOf({ ingressClass, classes, namespaces, ingressSelector }: TranslatorOptions): unknown {
  return { ingressClass, classes, namespaces: namespaces === null ? null : [...namespaces].sort(), ingressSelector }
}
