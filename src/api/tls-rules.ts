import type { Rule } from './cross-field.ts'
import type { IngressDeployment } from './ingressdeployment.ts'
import { isModernSuite } from './tls-profile.ts'

type Tls = NonNullable<IngressDeployment['spec']['configuration']['tls']>

const field = 'spec.configuration.tls'

function rule(message: string, isBroken: (tls: Tls) => boolean): Rule {
  return {
    field,
    message,
    broken: ({ spec }) => spec.configuration.tls !== undefined && isBroken(spec.configuration.tls),
  }
}

/** Rules of the TLS profile; `tlsFault` judges what comes of the ingress-nginx keys. */
export const tlsRules: readonly Rule[] = [
  rule(
    'minVersion, maxVersion, cipherSuites and curves are allowed with profile Custom only',
    ({ profile, minVersion, maxVersion, cipherSuites, curves }) =>
      profile !== 'Custom' && [minVersion, maxVersion, cipherSuites, curves].some(value => value !== undefined),
  ),
  rule(
    "minVersion (TLSv1.2 when absent) can't be above maxVersion (TLSv1.3 when absent)",
    ({ minVersion = 'TLSv1.2', maxVersion = 'TLSv1.3' }) => minVersion > maxVersion,
  ),
  rule(
    'cipherSuites must hold one that begins with TLS_ where TLSv1.3 is allowed',
    ({ cipherSuites, maxVersion = 'TLSv1.3' }) =>
      cipherSuites !== undefined && maxVersion === 'TLSv1.3' && !cipherSuites.some(isModernSuite),
  ),
  rule(
    'cipherSuites must hold one that does not begin with TLS_ where TLSv1.2 or lower is allowed',
    ({ cipherSuites, minVersion }) =>
      cipherSuites !== undefined && minVersion !== 'TLSv1.3' && cipherSuites.every(isModernSuite),
  ),
  rule(
    'cipherSuites must hold one that ends in -SHA where TLSv1 or TLSv1.1 is allowed',
    ({ cipherSuites = [], minVersion = 'TLSv1.2' }) =>
      minVersion < 'TLSv1.2' && !cipherSuites.some(suite => suite.endsWith('-SHA')),
  ),
]
