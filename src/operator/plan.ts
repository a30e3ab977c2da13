import { checkCrossFields } from '../api/cross-field.ts'
import type { IngressDeployment } from '../api/ingressdeployment.ts'
import type { IngressClass, Namespace, OwnerReference } from '../api/kubernetes.ts'
import {
  apiVersion,
  defaultClassAnnotation,
  generatedCertificateName,
  type InstanceName,
  selectorLabels,
  zoneLabel,
} from '../api/names.ts'
import type { ObjectReference, Problem } from '../api/problem.ts'
import { type IngressDeploymentValidator, validateIngressDeployment } from '../api/schema.ts'
import type { IngressClassIdentity, InstanceConfiguration, ProxySettings } from '../api/settings.ts'
import type { IssuedKeyPair } from '../certificates/generate.ts'
import { labelsMatch } from '../routing/label-selector.ts'
import { resolveSettings } from '../routing/settings.ts'
import type { TicketKeys } from './session-tickets.ts'

type Spec = IngressDeployment['spec']

/** What the decision needs to know beside the object itself. */
export interface PlanContext {
  /** Image of the proxies of an instance that names none. */
  readonly operatorImage: string
  readonly operatorServiceAccount: { readonly namespace: string; readonly name: string }
  /** Namespaces of the cluster; undefined without one: those of `scope.namespaces` are then taken to exist. */
  readonly namespaces: readonly Namespace[] | undefined
  /** Namespaces where an Ingress that is served refers to a Secret. */
  readonly secretNamespaces: readonly string[]
  /** An IngressClass of the wanted name and controller that is not ours, to be used as it is. */
  readonly foreignClass?: IngressClass | undefined
  /** What the Secret of a generated certificate is to hold; undefined leaves the Secret alone. */
  readonly keyPair?: IssuedKeyPair | undefined
  /** What the Secret of session tickets is to hold; undefined makes none. */
  readonly ticketKeys?: TicketKeys | undefined
  /** A compiled validator, for who plans often. */
  readonly validate?: IngressDeploymentValidator
}

/** What will happen, decided to the last name; the spec is what was written. Readonly data. */
export interface Plan {
  readonly instance: InstanceName
  readonly owner: OwnerReference
  readonly ingressClass: IngressClassIdentity & {
    /** The class is created and owned; else somebody else's is used. */
    readonly managed: boolean
    /** Marked as the cluster's default class. */
    readonly markedDefault: boolean
  }
  readonly replicas: number
  readonly service: Spec['service']
  readonly pod: Omit<Spec['pod'], 'image'> & {
    readonly image: string
    /** Version of the image, from its tag, where it is a label value. */
    readonly version: string | undefined
    readonly topologySpreadConstraints: readonly object[]
  }
  /** Namespaces to read, those that exist; null is all of them, read cluster-wide. */
  readonly readNamespaces: readonly string[] | null
  readonly secretNamespaces: readonly string[]
  readonly operatorServiceAccount: { readonly namespace: string; readonly name: string }
  readonly defaultCertificate: { readonly secretName: string; readonly keyPair: IssuedKeyPair | undefined }
  readonly ticketKeys: TicketKeys | undefined
  readonly configuration: InstanceConfiguration
  readonly ingressNginx: Readonly<Record<string, string>>
}

/** A checked object with its defaults, and the settings that came of it. */
export interface Admitted {
  readonly value: IngressDeployment
  readonly settings: ProxySettings
  /** Settings without effect: named to the user, while the rest applies. */
  readonly warnings: readonly Problem[]
}

export type Admission =
  | { readonly admitted: Admitted }
  | { readonly admitted?: undefined; readonly problems: readonly Problem[] }

export type Planned =
  | { readonly plan: Plan; readonly warnings: readonly Problem[] }
  | { readonly plan?: undefined; readonly problems: readonly Problem[] }

/** What becomes of an IngressDeployment, or what is wrong with it. Pure, but for the key pair that the context gives. */
export function plan(object: unknown, context: PlanContext): Planned {
  const admission = admit(object, context.validate ?? validateIngressDeployment)
  if (admission.admitted === undefined) return { problems: admission.problems }
  return { plan: decide(admission.admitted, context), warnings: admission.admitted.warnings }
}

/** Everything about one object that can be judged without the cluster. */
export function admit(object: unknown, validate: IngressDeploymentValidator): Admission {
  const { value, problems } = validate(object)
  if (value === undefined) return { problems }
  const crossed = checkCrossFields(value)
  if (crossed.length > 0) return { problems: crossed }
  const { configuration } = value.spec
  const resolved = resolveSettings(configuration, configuration.ingressNginx ?? {}, reference(value))
  return { admitted: { value, settings: resolved.settings, warnings: resolved.problems } }
}

export function decide({ value, settings }: Admitted, context: PlanContext): Plan {
  const { spec } = value
  const instance = instanceName(value)
  const ingressClass = decideClass(value, context.foreignClass)
  const readNamespaces = namespacesInScope(spec.scope, context.namespaces)
  const secretNamespaces = living(context.secretNamespaces, context.namespaces).toSorted()
  const secretName = spec.tls.defaultCertificate.secretName ?? generatedCertificateName(instance)
  return {
    instance,
    owner: ownerReference(value),
    ingressClass,
    replicas: spec.replicas,
    service: spec.service,
    pod: decidePod(spec.pod, instance, context.operatorImage),
    readNamespaces,
    secretNamespaces,
    operatorServiceAccount: context.operatorServiceAccount,
    defaultCertificate: {
      secretName,
      keyPair: spec.tls.defaultCertificate.secretName === undefined ? context.keyPair : undefined,
    },
    ticketKeys: context.ticketKeys,
    configuration: {
      instance,
      ingressClass: { name: ingressClass.name, isDefault: ingressClass.isDefault, controller: ingressClass.controller },
      namespaces: readNamespaces,
      ingressSelector: spec.scope.ingressSelector ?? null,
      secretNamespaces,
      defaultCertificateSecretName: secretName,
      settings,
    },
    ingressNginx: spec.configuration.ingressNginx ?? {},
  }
}

export function instanceName(object: IngressDeployment): InstanceName {
  return { namespace: object.metadata.namespace ?? 'default', name: object.metadata.name }
}

export function reference(object: IngressDeployment): ObjectReference {
  const { uid } = object.metadata
  return { apiVersion, kind: 'IngressDeployment', ...instanceName(object), ...(uid === undefined ? {} : { uid }) }
}

/** The class that an object claims, readable even when the rest of it is not valid. */
export function claimedClass(object: IngressDeployment): string {
  const spec = object.spec as Partial<Spec> | undefined
  const name: unknown = spec?.ingressClass?.name
  return typeof name === 'string' && name !== '' ? name : object.metadata.name
}

/** Namespaces of the scope that exist and are not being deleted, sorted; null is all of them. */
export function namespacesInScope(
  scope: Spec['scope'],
  namespaces: readonly Namespace[] | undefined,
): readonly string[] | null {
  const { namespaceSelector } = scope
  if (scope.namespaces !== undefined) return living(scope.namespaces, namespaces).toSorted()
  if (namespaceSelector === undefined) return null
  return (namespaces ?? [])
    .filter(
      ({ metadata }) => metadata.deletionTimestamp === undefined && labelsMatch(namespaceSelector, metadata.labels),
    )
    .map(({ metadata }) => metadata.name)
    .toSorted()
}

/** Those that exist: nothing can be made in a namespace that is missing or being deleted. */
function living(names: readonly string[], namespaces: readonly Namespace[] | undefined): readonly string[] {
  if (namespaces === undefined) return names
  const existing = new Set(
    namespaces.filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(({ metadata }) => metadata.name),
  )
  return names.filter(name => existing.has(name))
}

function decideClass(value: IngressDeployment, foreign: IngressClass | undefined): Plan['ingressClass'] {
  const { default: isDefault, controller } = value.spec.ingressClass
  const foreignDefault = foreign?.metadata.annotations?.[defaultClassAnnotation] === 'true'
  return {
    name: claimedClass(value),
    controller,
    isDefault: isDefault || foreignDefault,
    markedDefault: isDefault,
    managed: foreign === undefined,
  }
}

function decidePod(pod: Spec['pod'], instance: InstanceName, operatorImage: string): Plan['pod'] {
  const image = pod.image ?? operatorImage
  const labelSelector = { matchLabels: selectorLabels(instance) }
  const spread = pod.topologySpreadConstraints?.map(constraint => ({ labelSelector, ...constraint }))
  const anywhere = { maxSkew: 1, whenUnsatisfiable: 'ScheduleAnyway', labelSelector } as const
  return {
    ...pod,
    image,
    version: versionOf(image),
    topologySpreadConstraints: spread ?? [
      { topologyKey: 'kubernetes.io/hostname', ...anywhere },
      { topologyKey: zoneLabel, ...anywhere },
    ],
  }
}

/** The tag of an image reference, where it is a label value: `registry:5000/name:1.2.3@sha256:...` gives `1.2.3`. */
function versionOf(image: string): string | undefined {
  const match = /:([A-Za-z0-9](?:[-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?)$/.exec(image.replace(/@.*$/, ''))
  return match?.[1]
}

function ownerReference({ metadata }: IngressDeployment): OwnerReference {
  return {
    apiVersion,
    kind: 'IngressDeployment',
    name: metadata.name,
    uid: metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  }
}
