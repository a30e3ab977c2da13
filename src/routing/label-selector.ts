import type { LabelSelector, LabelSelectorRequirement } from '../api/kubernetes.ts'

/**
 * Does the selector select an object with these labels? An empty selector selects everything; all requirements must
 * hold. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/label-selector/
 */
export function labelsMatch(selector: LabelSelector, labels: Readonly<Record<string, string>> | undefined): boolean {
  const has = (key: string): boolean => labels !== undefined && Object.hasOwn(labels, key)
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    if (!has(key) || labels?.[key] !== value) return false
  }
  return (selector.matchExpressions ?? []).every(requirement =>
    requirementHolds(requirement, has(requirement.key) ? labels?.[requirement.key] : undefined),
  )
}

function requirementHolds(requirement: LabelSelectorRequirement, value: string | undefined): boolean {
  const values = requirement.values ?? []
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default:
      // An operator of a later API version: select nothing rather than too much.
      return false
  }
}
