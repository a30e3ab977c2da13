import type { ObjectReference, Problem } from '../api/problem.ts'
import { buildBackend } from './build-backend.ts'
import { buildHost } from './build-host.ts'
import { CertificateBook } from './certificate-book.ts'
import { type AuthorityState, readAuthorities } from './client-certificates.ts'
import { compareText } from './compare-text.ts'
import { IngressIndex } from './ingress-index.ts'
import { compareIngresses, type IngressModel } from './ingress-model.ts'
import type { Marks } from './marks.ts'
import type { Backend, Certificate, ChangedObject, Delta, Host } from './model.ts'
import { packBackend } from './packed-backend.ts'
import { ProblemLedger } from './problem-ledger.ts'
import { ReverseIndex } from './reverse-index.ts'
import { sameData } from './same-data.ts'
import { objectKey, type Snapshot } from './snapshot.ts'
import type { Translation, TranslatorOptions } from './translator.ts'

type Options = Pick<
  TranslatorOptions,
  'allowLoopbackEndpoints' | 'zone' | 'checkAuthorities' | 'checkKeyPair' | 'defaultCertificate' | 'settings'
>

/** Refers to the default certificate in the place of an Ingress or a host, whose keys never look like this. */
const defaultReferrer = '(default certificate)'

interface DeltaDraft {
  readonly hosts: Map<string, Host | undefined>
  readonly backends: Map<string, Backend | undefined>
  readonly certificates: Map<string, Certificate | undefined>
  readonly changed: Set<ChangedObject>
  defaultCertificate: string | undefined
  settings: TranslatorOptions['settings'] | undefined
}

/**
 * Holds the model as it was last given out, evaluates marked units anew (`host/…`, `backend/…`, `secret/…`, `tls/…`)
 * and gives out those that came out different.
 */
export class ModelBuilder {
  readonly index = new IngressIndex()
  readonly problems = new ProblemLedger()
  readonly #snapshot: Snapshot
  readonly #book = new CertificateBook()
  /** By Secret that an Ingress names for client certificates. */
  readonly #authorities = new Map<string, AuthorityState>()
  readonly #hosts = new Map<string, Host>()
  readonly #backends = new Map<string, Backend>()
  readonly #certificates = new Map<string, Certificate>()
  /** Hosts that serve a certificate. */
  readonly #certificateUsers = new ReverseIndex()
  #options: Options
  #revision = 0
  #defaultCertificate: string | undefined
  #settings: TranslatorOptions['settings'] | undefined
  #defaultMarked = false

  constructor(options: Options, snapshot: Snapshot) {
    this.#options = options
    this.#snapshot = snapshot
  }

  markService(serviceKey: string, causes: Iterable<ChangedObject>, marks: Marks): void {
    for (const id of this.index.backendsOfService(serviceKey)) marks.add(`backend/${id}`, causes)
  }

  markSecret(secretKey: string, causes: Iterable<ChangedObject>, marks: Marks): void {
    marks.add(`secret/${secretKey}`, causes)
  }

  replaceIngress(
    key: string,
    model: IngressModel | undefined,
    { causes, marks }: { causes: readonly ChangedObject[]; marks: Marks },
  ): void {
    for (const version of [this.index.get(key), model]) {
      if (version === undefined) continue
      for (const host of version.hosts.keys()) marks.add(`host/${host}`, causes)
      for (const id of version.backends.keys()) marks.add(`backend/${id}`, causes)
      for (const secret of version.secrets) marks.add(`secret/${secret}`, causes)
    }
    marks.add(`tls/${key}`, causes)
    this.index.replace(key, model)
    this.problems.set(`ingress/${key}`, model?.problems ?? [])
  }

  reconfigure(options: Options, marks: Marks): void {
    const before = this.#options
    this.#options = options
    if (options.allowLoopbackEndpoints !== before.allowLoopbackEndpoints || options.zone !== before.zone) {
      for (const id of this.index.backends()) marks.add(`backend/${id}`, [])
    }
    if (options.checkKeyPair !== before.checkKeyPair) {
      for (const key of this.index.secrets()) this.#evaluateSecret(key, { marks, recheck: true })
      this.#evaluateDefault({ marks, recheck: true })
    }
    if (!sameData(options.defaultCertificate, before.defaultCertificate)) {
      for (const key of [keyOf(before), keyOf(options)]) if (key !== undefined) marks.add(`secret/${key}`, [])
    }
  }

  /** Evaluates what is marked. Secrets come first, because they mark hosts. */
  build(marks: Marks): Translation {
    const draft: DeltaDraft = {
      hosts: new Map(),
      backends: new Map(),
      certificates: new Map(),
      changed: new Set(),
      defaultCertificate: undefined,
      settings: undefined,
    }
    // Judged with the first build, though no change names it: that it is missing is a problem.
    if (!this.#defaultMarked) this.#evaluateDefault({ marks, recheck: false })
    this.#defaultMarked = true
    for (const key of marked(marks, 'secret/')) this.#evaluateSecret(key, { marks, recheck: false })
    this.#chooseDefault(draft, marks)
    for (const name of marked(marks, 'host/')) this.#buildHost(name, draft, marks)
    for (const id of marked(marks, 'backend/')) this.#buildBackend(id, draft, marks)
    for (const id of marked(marks, 'secret/')) this.#giveCertificate(id, draft, marks)
    for (const key of marked(marks, 'tls/')) this.#judgeTls(key)
    if (!sameData(this.#settings, this.#options.settings)) {
      this.#settings = this.#options.settings
      draft.settings = this.#settings
    }
    return { delta: this.#finish(draft), changed: sortedObjects(draft.changed), problems: this.problems.settle() }
  }

  #evaluateDefault(context: { marks: Marks; recheck: boolean }): void {
    const key = keyOf(this.#options)
    if (key === undefined) return
    context.marks.add(`secret/${key}`, [])
    this.#evaluateSecret(key, context)
  }

  #evaluateSecret(key: string, { marks, recheck }: { marks: Marks; recheck: boolean }): void {
    const causes = marks.causes(`secret/${key}`)
    this.#evaluateAuthorities(key, marks)
    const isDefault = key === keyOf(this.#options)
    const referrers = this.index.ofSecret(key)
    if (referrers.length === 0 && !isDefault) {
      // The certificate that is the default one until another can be used stays, its Secret no longer matters.
      this.#book.forget(key)
      return
    }
    const before = this.#book.get(key)
    const options = { check: this.#options.checkKeyPair, keepDeleted: isDefault, recheck }
    const after = this.#book.evaluate(key, this.#snapshot.secrets.get(key), options)
    if (before === after) return
    marks.add(`secret/${key}`, causes)
    const hostsMayDiffer =
      (before?.usable === undefined) !== (after.usable === undefined) ||
      !sameHosts(before?.usable?.hosts, after.usable?.hosts)
    for (const { key: ingress, hosts } of referrers) {
      marks.add(`tls/${ingress}`, causes)
      if (hostsMayDiffer) for (const host of hosts.keys()) marks.add(`host/${host}`, causes)
    }
  }

  #evaluateAuthorities(key: string, marks: Marks): void {
    const referrers = this.index.ofSecret(key).filter(({ clientCertificates }) => clientCertificates?.secret === key)
    const before = this.#authorities.get(key)
    const secret = this.#snapshot.secrets.get(key)
    const after = referrers.length === 0 ? undefined : readAuthorities(key, secret, this.#options.checkAuthorities)
    if (sameData(before, after)) return
    put(this.#authorities, key, after)
    const causes = marks.causes(`secret/${key}`)
    for (const { key: ingress, hosts } of referrers) {
      marks.add(`tls/${ingress}`, causes)
      for (const host of hosts.keys()) marks.add(`host/${host}`, causes)
    }
  }

  #chooseDefault(draft: DeltaDraft, marks: Marks): void {
    const wanted = keyOf(this.#options)
    const state = wanted === undefined ? undefined : this.#book.get(wanted)
    this.problems.set(
      'default certificate',
      wanted === undefined || state?.fault === undefined ? [] : [secretProblem(wanted, state.fault)],
    )
    if (wanted === undefined || state?.usable === undefined || wanted === this.#defaultCertificate) return
    if (this.#defaultCertificate !== undefined) {
      this.#certificateUsers.delete(this.#defaultCertificate, defaultReferrer)
      marks.add(`secret/${this.#defaultCertificate}`, marks.causes(`secret/${wanted}`))
    }
    this.#certificateUsers.add(wanted, defaultReferrer)
    this.#defaultCertificate = wanted
    draft.defaultCertificate = wanted
    blame(draft, marks, `secret/${wanted}`)
  }

  #buildHost(name: string, draft: DeltaDraft, marks: Marks): void {
    const unit = `host/${name}`
    const { host, problems } = buildHost(name, this.index.ofHost(name), {
      secrets: key => this.#book.get(key),
      authorities: key => this.#authorities.get(key),
    })
    this.problems.set(unit, problems)
    const before = this.#hosts.get(name)
    if (sameData(before, host)) return
    put(this.#hosts, name, host)
    draft.hosts.set(name, host)
    blame(draft, marks, unit)
    for (const id of new Set([before?.certificate, host?.certificate])) {
      if (id === undefined) continue
      if (id === host?.certificate) this.#certificateUsers.add(id, name)
      else this.#certificateUsers.delete(id, name)
      marks.add(`secret/${id}`, marks.causes(unit))
    }
  }

  #buildBackend(id: string, draft: DeltaDraft, marks: Marks): void {
    const unit = `backend/${id}`
    const referrers = [...this.index.ofBackend(id)].sort(compareIngresses)
    const reference = referrers[0]?.backends.get(id)
    const built = reference === undefined ? undefined : buildBackend(reference, this.#inputOf(reference))
    const fault = built?.fault
    this.problems.set(
      unit,
      fault === undefined
        ? []
        : referrers.map(({ object, backends }) => ({ object, field: backends.get(id)?.field ?? '', ...fault })),
    )
    const backend = built === undefined ? undefined : packBackend(built.backend)
    if (sameData(this.#backends.get(id), backend)) return
    put(this.#backends, id, backend)
    draft.backends.set(id, backend)
    blame(draft, marks, unit)
  }

  #inputOf({ namespace, service }: { namespace: string; service: string }): Parameters<typeof buildBackend>[1] {
    const key = objectKey(namespace, service)
    return {
      service: this.#snapshot.services.get(key),
      slices: this.#snapshot.slicesOf(key),
      allowLoopback: this.#options.allowLoopbackEndpoints,
      zone: this.#options.zone,
    }
  }

  /** Certificates are in the table as long as a host serves them. */
  #giveCertificate(id: string, draft: DeltaDraft, marks: Marks): void {
    const before = this.#certificates.get(id)
    const isUsed = this.#certificateUsers.has(id)
    const after = isUsed ? (this.#book.get(id)?.usable?.certificate ?? before) : undefined
    if (sameData(before, after)) return
    put(this.#certificates, id, after)
    draft.certificates.set(id, after)
    blame(draft, marks, `secret/${id}`)
  }

  #judgeTls(ingressKey: string): void {
    const model = this.index.get(ingressKey)
    const problems: Problem[] = []
    for (const { secret, field } of model?.tls ?? []) {
      const fault = secret === undefined ? undefined : this.#book.get(secret)?.fault
      if (model !== undefined && fault !== undefined)
        problems.push({ object: model.object, field: `${field}.secretName`, ...fault })
    }
    const asked = model?.clientCertificates
    const fault = asked && this.#authorities.get(asked.secret)?.fault
    if (model !== undefined && asked !== undefined && fault !== undefined)
      problems.push({ object: model.object, field: asked.field, ...fault })
    this.problems.set(`tls/${ingressKey}`, problems)
  }

  #finish({ hosts, backends, certificates, defaultCertificate, settings }: DeltaDraft): Delta | undefined {
    const isEmpty = hosts.size + backends.size + certificates.size === 0
    if (isEmpty && defaultCertificate === undefined && settings === undefined) return undefined
    this.#revision += 1
    return {
      revision: this.#revision,
      hosts,
      backends,
      certificates,
      ...(defaultCertificate === undefined ? {} : { defaultCertificate }),
      ...(settings === undefined ? {} : { settings }),
    }
  }
}

/** Units of one kind that are marked now, without the kind. */
function marked(marks: Marks, kind: string): readonly string[] {
  return [...marks.units()].filter(unit => unit.startsWith(kind)).map(unit => unit.slice(kind.length))
}

function blame(draft: DeltaDraft, marks: Marks, unit: string): void {
  for (const cause of marks.causes(unit)) draft.changed.add(cause)
}

function keyOf({ defaultCertificate: secret }: Options): string | undefined {
  return secret === undefined ? undefined : objectKey(secret.namespace, secret.name)
}

function sameHosts(one: ReadonlySet<string> | undefined, other: ReadonlySet<string> | undefined): boolean {
  return (one?.size ?? 0) === (other?.size ?? 0) && [...(one ?? [])].every(host => other?.has(host) === true)
}

function secretProblem(key: string, fault: Pick<Problem, 'reason' | 'message'>): Problem {
  const slash = key.indexOf('/')
  const object: ObjectReference = {
    apiVersion: 'v1',
    kind: 'Secret',
    namespace: key.slice(0, slash),
    name: key.slice(slash + 1),
  }
  return { object, field: '', ...fault }
}

function sortedObjects(objects: ReadonlySet<ChangedObject>): readonly ChangedObject[] {
  const named = new Map([...objects].map(object => [`${object.kind} ${object.namespace}/${object.name}`, object]))
  return [...named].sort(([one], [other]) => compareText(one, other)).map(([, object]) => object)
}

function put<X>(map: Map<string, X>, key: string, value: X | undefined): void {
  if (value === undefined) map.delete(key)
  else map.set(key, value)
}
