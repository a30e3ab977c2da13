import { X509Certificate } from 'node:crypto'
import type { InstanceName } from '../api/names.ts'
import { describeProblem, describeTable } from '../dashboard/table-document.ts'
import { type AdminRoute, json, text } from '../observe/admin-server.ts'
import type { ProxyRuntime } from './proxy-runtime.ts'

/** What a pod's own admin socket answers beside health: what the proxy holds, without private keys. */
export function inspectionRoutes(runtime: ProxyRuntime, instance: InstanceName): Readonly<Record<string, AdminRoute>> {
  return {
    '/backends': async () => (runtime.proxy === undefined ? json([]) : json(await runtime.proxy.backends())),
    '/table': () => json({ ...describeTable(runtime.table), problems: runtime.problems().map(describeProblem) }),
    '/general': () =>
      json({
        instance: `${instance.namespace}/${instance.name}`,
        ready: runtime.ready,
        revision: runtime.table.revision,
        servedRevision: runtime.proxy?.servedRevision ?? 0,
        ...runtime.table.counts,
      }),
    '/certs': query => {
      const host = query.get('host') ?? ''
      const id = runtime.table.certificateFor(host)
      const certificate = id === undefined ? undefined : runtime.table.certificate(id)
      if (certificate === undefined) return text(404, `there is no certificate for ${host}\n`)
      const leaf = new X509Certificate(certificate.certificate)
      const { subject, issuer, subjectAltName, serialNumber, fingerprint256, validFromDate, validToDate } = leaf
      return json({
        secret: certificate.id,
        subject,
        issuer,
        subjectAltName,
        serialNumber,
        fingerprint256,
        notBefore: validFromDate.toISOString(),
        notAfter: validToDate.toISOString(),
      })
    },
  }
}
