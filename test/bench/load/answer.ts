/** The first answer in the octets: where it ends and what it says; undefined until it is complete. */
export interface Answer {
  readonly status: number
  readonly bodyStart: number
  readonly end: number
}

const headEnd = Buffer.from('\r\n\r\n')

/** Reads answers with Content-Length, which is all that a benchmark's backend gives. Others are status 0. */
export function readAnswer(bytes: Buffer, length: number): Answer | undefined {
  const at = bytes.indexOf(headEnd)
  if (at < 0 || at + 4 > length) return undefined
  const head = bytes.toString('latin1', 0, at + 2)
  const bodyStart = at + 4
  const contentLength = /\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1]
  if (contentLength === undefined) return { status: 0, bodyStart, end: length }
  const end = bodyStart + Number(contentLength)
  return end > length ? undefined : { status: Number(head.slice(9, 12)), bodyStart, end }
}
