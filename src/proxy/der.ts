/** As much of DER (X.690) as is needed to find a field: definite lengths, tags of one octet, nothing is copied. */
export interface DerElement {
  readonly tag: number
  readonly bytes: Buffer
  readonly start: number
  /** Where the content begins and ends. */
  readonly content: number
  readonly end: number
}

export const derTags = { integer: 0x02, sequence: 0x30 } as const

/** The element at an offset; undefined where there is none that is whole. */
export function readDer(bytes: Buffer, start = 0, limit = bytes.length): DerElement | undefined {
  const tag = bytes[start]
  const first = bytes[start + 1]
  if (tag === undefined || first === undefined || start + 2 > limit) return undefined
  let content = start + 2
  let length = first
  if (first > 0x80) {
    const octets = first - 0x80
    if (octets > 4 || content + octets > limit) return undefined
    length = bytes.readUIntBE(content, octets)
    content += octets
  }
  const end = content + length
  return first === 0x80 || end > limit ? undefined : { tag, bytes, start, content, end }
}

/** The elements inside one; those before the first that is broken. */
export function* derChildren({ bytes, content, end }: DerElement): Generator<DerElement> {
  for (let at = content; at < end; ) {
    const child = readDer(bytes, at, end)
    if (child === undefined) return
    yield child
    at = child.end
  }
}

/** The whole element, tag and length included. */
export function derBytes({ bytes, start, end }: DerElement): Buffer {
  return bytes.subarray(start, end)
}

export function derContent({ bytes, content, end }: DerElement): Buffer {
  return bytes.subarray(content, end)
}
