import { bodySize } from './body-size.ts'
import { clientCertificate } from './client-certificate.ts'
import type { Phase } from './phase.ts'
import { plainHttp } from './plain-http.ts'
import { refusal } from './refusal.ts'
import { sourceRanges } from './source-ranges.ts'

/**
 * In the order of ingress-nginx: a refusal beats everything, the redirect to HTTPS comes before the client's address
 * is judged. The first answer ends the request.
 */
export const phases: readonly Phase[] = [refusal, plainHttp, clientCertificate, sourceRanges, bodySize]
