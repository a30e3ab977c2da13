import type { Ingress, LabelSelector } from '../api/kubernetes.ts'
import { legacyClassAnnotation } from '../api/names.ts'
import { labelsMatch } from './label-selector.ts'

export interface ServedScope {
  readonly className: string
  /** Ingresses that name no class are served too. */
  readonly isDefault: boolean
  /** null is every namespace. */
  readonly namespaces: ReadonlySet<string> | null
  readonly ingressSelector: LabelSelector | null
}

/**
 * Is this Ingress ours? `spec.ingressClassName` decides; without it the annotation that preceded it; without either
 * the default class. https://kubernetes.io/docs/concepts/services-networking/ingress/#deprecated-annotation
 */
export function servesIngress(ingress: Ingress, scope: ServedScope): boolean {
  const { metadata } = ingress
  if (scope.namespaces !== null && !scope.namespaces.has(metadata.namespace ?? '')) return false
  if (scope.ingressSelector !== null && !labelsMatch(scope.ingressSelector, metadata.labels)) return false
  const named = nonEmpty(ingress.spec?.ingressClassName) ?? nonEmpty(metadata.annotations?.[legacyClassAnnotation])
  return named === undefined ? scope.isDefault : named === scope.className
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}
