import type { IngressDeployment } from '../api/ingressdeployment.ts'
import type { ConfigMap, Ingress, IngressClass, Namespace } from '../api/kubernetes.ts'
import { legacyClassAnnotation } from '../api/names.ts'
import type { Problem } from '../api/problem.ts'
import type { IngressDeploymentValidator } from '../api/schema.ts'
import { unpackIngress } from '../routing/packed-ingress.ts'
import type { Change } from '../routing/snapshot.ts'
import type { Source } from '../sources/source.ts'
import {
  decideServeConfiguration,
  generatedSecret,
  type ServeConfiguration,
  type ServeFlags,
} from './serve-configuration.ts'

export interface ServeSourceOptions {
  readonly flags: ServeFlags
  readonly files: Source
  /** Called before the first changes are given on, and whenever it became another. */
  readonly onConfiguration: (configuration: ServeConfiguration) => void
  /** Problems of IngressDeployments: all there are, when they changed. */
  readonly onProblems: (problems: readonly Problem[]) => void
  /** A mistake of ours: the last configuration stays. */
  readonly onError: (error: unknown) => void
}

/** Kinds that decide on the configuration. */
const configuringKinds: readonly Change['kind'][] = ['IngressClass', 'ConfigMap', 'Namespace', 'Secret']

/**
 * A folder as source and as configuration: what in a cluster the operator does for a proxy. It stands between the
 * files and the translator, so that the class is known before the first Ingress arrives.
 */
export class ServeSource implements Source {
  readonly #options: ServeSourceOptions
  readonly #classes = new Map<string, IngressClass>()
  readonly #namespaces = new Map<string, Namespace>()
  readonly #ingresses = new Map<string, Ingress>()
  readonly #secrets = new Set<string>()
  #configMap: ConfigMap | undefined
  #written: readonly IngressDeployment[] = []
  /** By `namespace/name`, as last found valid. */
  #admitted = new Map<string, IngressDeployment>()
  #give: (changes: readonly Change[]) => void = () => {}
  #held: Change[] | undefined = []
  #current: ServeConfiguration | undefined
  #shown = ''
  #generatedFor = ''
  /** Compiling takes longer than checking. */
  #validate: IngressDeploymentValidator | undefined
  #deciding: Promise<void> = Promise.resolve()

  constructor(options: ServeSourceOptions) {
    this.#options = options
  }

  start(onChanges: (changes: readonly Change[]) => void): void {
    this.#give = onChanges
    this.#options.files.start(changes => this.#take(changes))
  }

  async synced(): Promise<void> {
    await this.#options.files.synced()
    await this.#decideAnew()
    const held = this.#held ?? []
    this.#held = undefined
    this.#give(held.map(change => this.#asServed(change)))
  }

  async stop(): Promise<void> {
    await this.#options.files.stop()
    await this.#deciding
  }

  setIngressDeployments(deployments: readonly IngressDeployment[]): void {
    this.#written = deployments
    if (this.#held === undefined) this.#decideLater()
  }

  #take(changes: readonly Change[]): void {
    for (const change of changes) this.#note(change)
    if (this.#held !== undefined) this.#held.push(...changes)
    else {
      this.#give(changes.map(change => this.#asServed(change)))
      if (changes.some(({ kind }) => configuringKinds.includes(kind))) this.#decideLater()
    }
  }

  #note({ kind, namespace, name, object }: Change): void {
    const key = `${namespace}/${name}`
    if (kind === 'IngressClass') put(this.#classes, name, object?.kind === 'IngressClass' ? object : undefined)
    if (kind === 'Namespace') put(this.#namespaces, name, object?.kind === 'Namespace' ? object : undefined)
    if (kind === 'Ingress') put(this.#ingresses, key, object?.kind === 'Ingress' ? object : undefined)
    if (kind === 'Secret' && object === undefined) this.#secrets.delete(key)
    else if (kind === 'Secret') this.#secrets.add(key)
    const wanted = this.#options.flags.configMap
    if (kind === 'ConfigMap' && wanted?.namespace === namespace && wanted.name === name) {
      this.#configMap = object?.kind === 'ConfigMap' ? object : undefined
    }
  }

  /** One decision after another, each with what is known when its turn comes. */
  #decideAnew(): Promise<void> {
    const decided = this.#deciding.then(() => this.#decide())
    this.#deciding = decided.catch(error => this.#options.onError(error))
    return decided
  }

  #decideLater(): void {
    this.#decideAnew().catch(() => {
      // Told by `onError`.
    })
  }

  async #decide(): Promise<void> {
    const problems = await this.#admit()
    const inputs = {
      deployments: [...this.#admitted].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, value]) => value),
      classes: [...this.#classes.values()],
      namespaces: [...this.#namespaces.values()],
      configMap: this.#configMap,
      secrets: this.#secrets,
    }
    const { namespacesInScope } = inputs.deployments.length > 0 ? await loadPlan() : { namespacesInScope: () => null }
    const configuration = decideServeConfiguration(this.#options.flags, inputs, namespacesInScope)
    this.#options.onProblems([...problems, ...configuration.problems])
    await this.#generateCertificate(configuration)
    const { namespaces } = configuration.translator
    const shown = JSON.stringify([configuration, namespaces === null ? null : [...namespaces]])
    if (shown === this.#shown) return
    this.#shown = shown
    const flipped = this.#current !== undefined && this.#current.everyClass !== configuration.everyClass
    this.#current = configuration
    this.#options.onConfiguration(configuration)
    if (flipped) this.#give([...this.#ingresses.values()].map(object => this.#asServed(changeTo(object))))
  }

  /** Checks what was written; an invalid one keeps its last valid form. Returns what is wrong. */
  async #admit(): Promise<readonly Problem[]> {
    const written = this.#written
    if (written.length === 0) {
      this.#admitted = new Map()
      return []
    }
    const { admit, createIngressDeploymentValidator } = await loadPlan()
    this.#validate ??= createIngressDeploymentValidator()
    const admitted = new Map<string, IngressDeployment>()
    const problems: Problem[] = []
    for (const object of written) {
      const key = `${object.metadata.namespace}/${object.metadata.name}`
      const admission = admit(object, this.#validate)
      if (admission.admitted === undefined) problems.push(...admission.problems)
      const value = admission.admitted?.value ?? this.#admitted.get(key)
      if (value !== undefined) admitted.set(key, value)
    }
    this.#admitted = admitted
    return problems
  }

  async #generateCertificate({ generatedFor }: ServeConfiguration): Promise<void> {
    if (generatedFor === undefined || generatedFor.join() === this.#generatedFor) return
    this.#generatedFor = generatedFor.join()
    const { generateSelfSigned } = await import('../certificates/generate.ts')
    const pair = await generateSelfSigned({ hosts: generatedFor, now: new Date() })
    const data = { 'tls.crt': base64(pair.certificate), 'tls.key': base64(pair.key) }
    const metadata = { ...generatedSecret }
    const change: Change = {
      kind: 'Secret',
      ...generatedSecret,
      object: { apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/tls', data },
    }
    if (this.#held !== undefined) this.#held.push(change)
    else this.#give([change])
  }

  /** Where every class is served, an Ingress is as one that names none. */
  #asServed(change: Change): Change {
    if (change.object?.kind !== 'Ingress' || this.#current?.everyClass !== true) return change
    const ingress = 'said' in change.object ? unpackIngress(change.object) : change.object
    const { metadata, spec } = ingress
    const { [legacyClassAnnotation]: _class, ...annotations } = metadata.annotations ?? {}
    const { ingressClassName: _name, ...rest } = spec ?? {}
    return { ...change, object: { ...ingress, metadata: { ...metadata, annotations }, spec: rest } }
  }
}

/** The schema's validator is large, and most folders have no IngressDeployment. */
async function loadPlan() {
  const [{ admit, namespacesInScope }, { createIngressDeploymentValidator }] = await Promise.all([
    import('../operator/plan.ts'),
    import('../api/schema.ts'),
  ])
  return { admit, namespacesInScope, createIngressDeploymentValidator }
}

function changeTo(object: Ingress): Change {
  return { kind: 'Ingress', namespace: object.metadata.namespace ?? '', name: object.metadata.name, object }
}

function put<Value>(map: Map<string, Value>, key: string, value: Value | undefined): void {
  if (value === undefined) map.delete(key)
  else map.set(key, value)
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
