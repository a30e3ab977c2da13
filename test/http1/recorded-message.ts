/**
 * What a plain recipient reads in a message that we wrote: split at CRLF, nothing else. It is no judge of bad input,
 * only an independent reader of our output.
 */
export interface RecordedMessage {
  readonly startLine: string
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: string
  readonly raw: string
  /** The chunked body had its last chunk, or the announced length was there. */
  readonly complete: boolean
}

export function recordedMessage(raw: string, isBodyless = false): RecordedMessage {
  const headEnd = raw.indexOf('\r\n\r\n')
  if (headEnd < 0) throw new Error('the message that was written has no end of head')
  const [startLine = '', ...lines] = raw.slice(0, headEnd).split('\r\n')
  const fields = lines.map(line => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')] as const
  })
  const rest = raw.slice(headEnd + 4)
  return { startLine, fields, raw, ...bodyOf(fields, rest, isBodyless) }
}

export function valuesOf(message: RecordedMessage, name: string): readonly string[] {
  return message.fields.filter(([fieldName]) => fieldName === name).map(([, value]) => value)
}

function bodyOf(
  fields: RecordedMessage['fields'],
  rest: string,
  isBodyless: boolean,
): { readonly body: string; readonly complete: boolean } {
  if (isBodyless) return { body: rest, complete: rest === '' }
  if (fields.some(([name]) => name === 'transfer-encoding')) return dechunked(rest)
  const length = fields.find(([name]) => name === 'content-length')
  if (length !== undefined) return { body: rest, complete: rest.length === Number(length[1]) }
  return { body: rest, complete: rest === '' }
}

function dechunked(text: string): { readonly body: string; readonly complete: boolean } {
  let body = ''
  let rest = text
  for (;;) {
    const size = /^([0-9a-f]+)\r\n/.exec(rest)
    if (size === null) return { body, complete: false }
    const length = Number.parseInt(size[1] ?? '', 16)
    if (length === 0) return { body, complete: rest === '0\r\n\r\n' }
    const start = size[0].length
    body += rest.slice(start, start + length)
    if (rest.slice(start + length, start + length + 2) !== '\r\n') return { body, complete: false }
    rest = rest.slice(start + length + 2)
  }
}
