import { defaultAnnotationsPrefix } from '../api/names.ts'
import type { InstanceConfiguration } from '../api/settings.ts'
import type { TranslatorOptions } from './translator.ts'

/**
 * How the objects are read for one instance: the same in its proxies, which serve what comes of it, and in the
 * operator, which reports what is wrong with it. The certificates are what each of them judges in its own way.
 */
export function instanceTranslatorOptions(
  configuration: InstanceConfiguration,
  certificates: Pick<TranslatorOptions, 'defaultCertificate' | 'checkKeyPair' | 'checkAuthorities'>,
): TranslatorOptions {
  const { ingressClass, namespaces, ingressSelector, settings } = configuration
  return {
    ingressClass,
    classes: 'fixed',
    namespaces: namespaces === null ? null : new Set(namespaces),
    ingressSelector,
    allowLoopbackEndpoints: false,
    annotationsPrefix: defaultAnnotationsPrefix,
    settings,
    ...certificates,
  }
}
