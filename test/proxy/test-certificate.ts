import { generateKeyPairSync } from 'node:crypto'
import forge from 'node-forge'
import type { Certificate } from '../../src/routing/model.ts'

/** A self-signed certificate for the names, whose subject's common name tells it from others. */
export function testCertificate(id: string, commonName: string, names: readonly string[]): Certificate {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' })
  const forgeKey = forge.pki.privateKeyFromPem(key)
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forge.pki.setRsaPublicKey(forgeKey.n, forgeKey.e)
  certificate.serialNumber = '01'
  certificate.validity.notBefore = new Date(Date.now() - 86_400_000)
  certificate.validity.notAfter = new Date(Date.now() + 86_400_000)
  const subject = [{ name: 'commonName', value: commonName }]
  certificate.setSubject(subject)
  certificate.setIssuer(subject)
  certificate.setExtensions([{ name: 'subjectAltName', altNames: names.map(value => ({ type: 2, value })) }])
  certificate.sign(forgeKey, forge.md.sha256.create())
  return { id, certificate: forge.pki.certificateToPem(certificate), key }
}
