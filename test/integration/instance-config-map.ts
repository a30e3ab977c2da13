import type { KubernetesObject } from '../../src/api/kubernetes.ts'
import { childName, type InstanceName, instanceConfigurationKey } from '../../src/api/names.ts'
import type { InstanceConfiguration } from '../../src/api/settings.ts'
import { defaultSettings } from '../../src/routing/default-settings.ts'

/** What an operator tells the proxies of an instance: of a class named as it is, in its own namespace, but for `change`. */
export function instanceConfigMap(
  instance: InstanceName,
  change: Partial<InstanceConfiguration> = {},
): KubernetesObject & { readonly data: Readonly<Record<string, string>> } {
  const configuration: InstanceConfiguration = {
    instance,
    ingressClass: { name: instance.name, isDefault: false, controller: 'ingressfleet.dev/ingress-controller' },
    namespaces: [instance.namespace],
    ingressSelector: null,
    secretNamespaces: [],
    defaultCertificateSecretName: 'default-tls',
    settings: defaultSettings,
    ...change,
  }
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: childName(instance), namespace: instance.namespace },
    data: { [instanceConfigurationKey]: JSON.stringify(configuration) },
  }
}
