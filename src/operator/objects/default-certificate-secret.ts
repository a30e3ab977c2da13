import { generatedCertificateName } from '../../api/names.ts'
import { childMetadata, type ManagedObject } from './managed-object.ts'

/** The generated default certificate; none when the user refers to one of their own. */
export const defaultCertificateSecret: ManagedObject = {
  apiVersion: 'v1',
  kind: 'Secret',
  namespaced: true,
  desired: plan => {
    const { keyPair } = plan.defaultCertificate
    if (keyPair === undefined) return []
    return [
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: childMetadata(plan, generatedCertificateName(plan.instance)),
        type: 'kubernetes.io/tls',
        data: { 'tls.crt': base64(keyPair.certificate), 'tls.key': base64(keyPair.key) },
      },
    ]
  },
  mustReplace: (live, desired) => live['type'] !== desired['type'],
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
