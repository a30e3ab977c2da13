import { cookieValue } from '../http1/cookie-value.ts'
import { fieldValue } from '../http1/field-value.ts'
import type { RequestHead } from '../http1/messages.ts'
import type { HashExpression, HashPart } from '../routing/hash-expression.ts'
import { addToHash, emptyHash, mix } from './balancers/hash.ts'
import type { RequestFacts } from './phases/phase.ts'

/** The hash of what the expression says of a request, from 0 to below 2^32; -1 when all its variables are empty. */
export function hashRequest({ parts }: HashExpression, request: RequestFacts): number {
  let hash = emptyHash
  let isEmpty = true
  for (const part of parts) {
    const text = textOf(part, request)
    if (text === '') continue
    if (part.kind !== 'text') isEmpty = false
    hash = addToHash(hash, text)
  }
  return isEmpty ? -1 : mix(hash)
}

function textOf(part: HashPart, request: RequestFacts): string {
  switch (part.kind) {
    case 'text':
      return part.text
    case 'remoteAddress':
      return request.clientAddress
    case 'requestUri':
      return request.head.target
    case 'path':
      return request.head.path
    case 'host':
      return request.head.host
    case 'cookie':
      return cookieValue(request.head.cookie, part.name)
    case 'field':
    default:
      return fieldOf(request.head, part.name)
  }
}

/** Some fields are not among those that are forwarded as they came. */
function fieldOf(head: RequestHead, name: string): string {
  switch (name) {
    case 'host':
      return head.authority
    case 'x-forwarded-for':
      return head.identity.forwardedFor
    case 'x-forwarded-host':
      return head.identity.forwardedHost
    case 'x-forwarded-proto':
      return head.identity.forwardedProto
    case 'x-request-id':
      return head.identity.requestId
    default:
      return fieldValue(head.fields, name)
  }
}
