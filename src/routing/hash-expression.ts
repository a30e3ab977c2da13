/** A piece of an expression that is hashed: text as it stands, or something of the request. */
export type HashPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'remoteAddress' | 'requestUri' | 'path' | 'host' }
  /** `name` in lower case, as in `x-user`. */
  | { readonly kind: 'field' | 'cookie'; readonly name: string }

/** What `upstream-hash-by` asks for: the pieces in order. At least one is not text. */
export interface HashExpression {
  /** As it was written. */
  readonly text: string
  readonly parts: readonly HashPart[]
}

export const hashExpressionAllowed =
  'made of $remote_addr, $request_uri, $uri, $host, $http_NAME, $cookie_NAME, also as ${NAME}, and of letters, digits, "-" and "_"'

const variables: ReadonlyMap<string, HashPart> = new Map<string, HashPart>([
  ['remote_addr', { kind: 'remoteAddress' }],
  ['binary_remote_addr', { kind: 'remoteAddress' }],
  ['request_uri', { kind: 'requestUri' }],
  ['uri', { kind: 'path' }],
  ['host', { kind: 'host' }],
])

/** Undefined when it holds anything else, or no variable: then every request would go to one endpoint. */
export function readHashExpression(text: string): HashExpression | undefined {
  if (text.length > 256) return undefined
  const parts: HashPart[] = []
  const token = /\$\{(\w+)\}|\$(\w+)|([\w-]+)/y
  while (token.lastIndex < text.length) {
    const match = token.exec(text)
    if (match === null) return undefined
    const [, braced, bare, literal] = match
    const part = literal === undefined ? variable((braced ?? bare ?? '').toLowerCase()) : textPart(literal)
    if (part === undefined) return undefined
    parts.push(part)
  }
  return parts.some(({ kind }) => kind !== 'text') ? { text, parts } : undefined
}

function textPart(text: string): HashPart {
  return { kind: 'text', text }
}

function variable(name: string): HashPart | undefined {
  // As nginx does: a name of a variable has `_` where that of the field has `-`.
  if (name.startsWith('http_') && name.length > 5) return { kind: 'field', name: name.slice(5).replaceAll('_', '-') }
  if (name.startsWith('cookie_') && name.length > 7) return { kind: 'cookie', name: name.slice(7) }
  return variables.get(name)
}
