import type { IngressDeployment } from '../api/ingressdeployment.ts'
import type { ConfigMap, IngressClass, Namespace } from '../api/kubernetes.ts'
import { defaultAnnotationsPrefix, defaultClassAnnotation, defaultController } from '../api/names.ts'
import type { ObjectReference, Problem } from '../api/problem.ts'
import { checkAuthorities } from '../certificates/check-authorities.ts'
import { resolveSettings } from '../routing/settings.ts'
import type { TranslatorOptions } from '../routing/translator.ts'
import { checkKeyPairNow } from './key-pair-check.ts'

/** What the command line says. */
export interface ServeFlags {
  readonly ingressClass: string | undefined
  readonly configMap: { readonly namespace: string; readonly name: string } | undefined
}

/** What the folder says, beside routing. */
export interface ServeInputs {
  /** Checked, with their defaults, in order of namespace and name. */
  readonly deployments: readonly IngressDeployment[]
  readonly classes: readonly IngressClass[]
  readonly namespaces: readonly Namespace[]
  /** That of the flag. */
  readonly configMap: ConfigMap | undefined
  /** `namespace/name` of every Secret. */
  readonly secrets: ReadonlySet<string>
}

export interface ServeConfiguration {
  readonly translator: TranslatorOptions
  /** Every Ingress is served, whatever class it names. */
  readonly everyClass: boolean
  /** Whose class and settings these are. */
  readonly deployment: IngressDeployment | undefined
  /** Names of the certificate to generate; undefined when a Secret has the default certificate. */
  readonly generatedFor: readonly string[] | undefined
  readonly problems: readonly Problem[]
  /** For the log: how the class was chosen. */
  readonly choice: string
}

/** Key of the Secret that stands for the generated certificate; no namespace has this name. */
export const generatedSecret = { namespace: '(serve)', name: 'generated-default-certificate' } as const

const everyClassName = '(every class)'

/** Decides, of flags and folder, which Ingresses are served and with which settings; pure. */
export function decideServeConfiguration(
  flags: ServeFlags,
  inputs: ServeInputs,
  namespacesInScope: (
    scope: IngressDeployment['spec']['scope'],
    namespaces: readonly Namespace[],
  ) => readonly string[] | null,
): ServeConfiguration {
  const { name, choice } = chooseClass(flags, inputs)
  const deployment = inputs.deployments.find(one => name === undefined || classOf(one) === name)
  const { settings, problems } = resolve(flags, inputs, deployment)
  const own = deployment?.spec.tls.defaultCertificate
  const ownNamespace = deployment?.metadata.namespace ?? 'default'
  const usesOwn = own?.secretName !== undefined && inputs.secrets.has(`${ownNamespace}/${own.secretName}`)
  const namespaces = deployment ? namespacesInScope(deployment.spec.scope, inputs.namespaces) : null
  return {
    everyClass: name === undefined,
    deployment,
    choice,
    problems,
    generatedFor: usesOwn ? undefined : (own?.generated?.hosts ?? ['ingress.local']),
    translator: {
      ingressClass: {
        name: name ?? everyClassName,
        isDefault:
          name === undefined || deployment?.spec.ingressClass.default === true || isMarkedDefault(inputs, name),
        controller: controllerOf(inputs, name, deployment),
      },
      classes: 'fixed',
      namespaces: namespaces === null ? null : new Set(namespaces),
      ingressSelector: deployment?.spec.scope.ingressSelector ?? null,
      allowLoopbackEndpoints: true,
      annotationsPrefix: defaultAnnotationsPrefix,
      defaultCertificate:
        usesOwn && own?.secretName !== undefined ? { namespace: ownNamespace, name: own.secretName } : generatedSecret,
      checkKeyPair: checkKeyPairNow,
      checkAuthorities,
      settings,
    },
  }
}

function chooseClass(
  flags: ServeFlags,
  { deployments, classes }: ServeInputs,
): { readonly name: string | undefined; readonly choice: string } {
  if (flags.ingressClass !== undefined) return { name: flags.ingressClass, choice: 'flag --ingress-class' }
  const [deployment] = deployments
  if (deployment !== undefined) return { name: classOf(deployment), choice: 'IngressDeployment of the folder' }
  const [only, another] = classes
  if (only !== undefined && another === undefined) {
    return { name: only.metadata.name, choice: 'only IngressClass of the folder' }
  }
  return {
    name: undefined,
    choice: 'every Ingress is served: the folder has neither IngressDeployment nor one IngressClass',
  }
}

function classOf({ metadata, spec }: IngressDeployment): string {
  return spec.ingressClass.name ?? metadata.name
}

function isMarkedDefault({ classes }: ServeInputs, name: string): boolean {
  const found = classes.find(({ metadata }) => metadata.name === name)
  return found?.metadata.annotations?.[defaultClassAnnotation] === 'true'
}

function controllerOf(
  { classes }: ServeInputs,
  name: string | undefined,
  deployment: IngressDeployment | undefined,
): string {
  const object = classes.find(({ metadata }) => metadata.name === name)
  return deployment?.spec.ingressClass.controller ?? object?.spec?.controller ?? defaultController
}

/** The ConfigMap of the flag stands beneath the IngressDeployment: what that one says wins. */
function resolve(flags: ServeFlags, { configMap }: ServeInputs, deployment: IngressDeployment | undefined) {
  const configuration = deployment?.spec.configuration
  const subject: ObjectReference = flags.configMap
    ? { apiVersion: 'v1', kind: 'ConfigMap', ...flags.configMap }
    : referenceOf(deployment)
  const texts = { ...configMap?.data, ...configuration?.ingressNginx }
  const { settings, problems } = resolveSettings(configuration, texts, subject)
  if (flags.configMap === undefined || configMap !== undefined) return { settings, problems }
  const message = 'the ConfigMap of --configmap is not in the folder: defaults apply until it is'
  return { settings, problems: [...problems, { object: subject, field: '', reason: 'ConfigMapNotFound', message }] }
}

function referenceOf(deployment: IngressDeployment | undefined): ObjectReference {
  const { namespace = 'default', name = '' } = deployment?.metadata ?? {}
  return { apiVersion: deployment?.apiVersion ?? '', kind: 'IngressDeployment', namespace, name }
}
