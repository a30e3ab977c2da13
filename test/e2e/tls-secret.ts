import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TlsPair {
  /** PEM. */
  readonly certificate: string
  /** PEM. */
  readonly key: string
}

/** A fresh self-signed certificate for one host name. */
export function selfSigned(host: string): TlsPair {
  const directory = mkdtempSync(join(tmpdir(), 'ingress-fleet-e2e-'))
  const [certificate, key] = [join(directory, 'tls.crt'), join(directory, 'tls.key')]
  const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`]
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  try {
    execFileSync('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', key, '-out', certificate], {
      stdio: 'ignore',
    })
    return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

export function tlsSecret(place: { readonly namespace: string; readonly name: string }, pair: TlsPair): object {
  const stringData = { 'tls.crt': pair.certificate, 'tls.key': pair.key }
  return { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: place, stringData }
}
