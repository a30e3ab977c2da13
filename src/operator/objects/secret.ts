import { generatedCertificateName, sessionTicketKeys, sessionTicketSecretName } from '../../api/names.ts'
import type { Plan } from '../plan.ts'
import { childMetadata, type DesiredObject, type ManagedObject } from './managed-object.ts'

/** The generated default certificate, unless the user refers to one of their own; and the keys of session tickets. */
export const secret: ManagedObject = {
  apiVersion: 'v1',
  kind: 'Secret',
  namespaced: true,
  desired: plan => [...defaultCertificate(plan), ...sessionTickets(plan)],
  mustReplace: (live, desired) => live['type'] !== desired['type'],
}

function defaultCertificate(plan: Plan): readonly DesiredObject[] {
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
}

function sessionTickets(plan: Plan): readonly DesiredObject[] {
  const { ticketKeys } = plan
  if (ticketKeys === undefined) return []
  return [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: childMetadata(plan, sessionTicketSecretName(plan.instance)),
      type: 'Opaque',
      data: { [sessionTicketKeys.key]: ticketKeys.key, [sessionTicketKeys.issuedAt]: base64(ticketKeys.issuedAt) },
    },
  ]
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
