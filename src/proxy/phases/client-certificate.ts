import { ClientCertificateVerifier } from '../client-certificate-verifier.ts'
import type { ClientCertificateVerdict } from '../tls-client.ts'
import type { Answer, Phase } from './phase.ts'

const misdirected: Answer = { status: 421, error: 'misdirected', close: true }

const answers: Readonly<Record<ClientCertificateVerdict, Answer | undefined>> = {
  accepted: undefined,
  absent: { status: 400, error: 'client_certificate_refused', text: 'A client certificate is required for this host.' },
  invalid: { status: 400, error: 'client_certificate_refused', text: 'The client certificate is not valid here.' },
  unwelcome: { status: 403, error: 'client_certificate_refused' },
}

/**
 * Hosts whose clients are to have certificates: 400 without a valid one, 403 with one of a name that is not let in. A
 * client is asked for its certificate under the server name of its handshake, so a request for another host than that
 * one gets 421 (RFC 9110 section 15.5.20).
 */
export const clientCertificate: Phase = {
  name: 'client-certificate',
  bind: ({ host }) => {
    const rule = host.clientCertificates
    if (rule === undefined) return undefined
    const verifier = new ClientCertificateVerifier(rule)
    return ({ tlsClient, head }) => {
      // In the clear, or over the TLS of somebody in front, there is no certificate.
      if (tlsClient === undefined) return rule.verify === 'on' ? answers.absent : undefined
      if (!tlsClient.connectedTo(head.host)) return misdirected
      return answers[tlsClient.judge(verifier, Date.now())]
    }
  },
}
