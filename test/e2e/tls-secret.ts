import { generateSelfSigned, type IssuedKeyPair } from '../../src/certificates/generate.ts'

/** A fresh self-signed certificate for one host name. */
export function selfSigned(host: string): Promise<IssuedKeyPair> {
  return generateSelfSigned({ hosts: [host], now: new Date() })
}

export function tlsSecret(place: { readonly namespace: string; readonly name: string }, pair: IssuedKeyPair): object {
  const stringData = { 'tls.crt': pair.certificate, 'tls.key': pair.key }
  return { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: place, stringData }
}
