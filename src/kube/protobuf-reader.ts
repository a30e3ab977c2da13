/** What is read is not a message of the protocol, or ends too soon. */
export class MalformedProtobuf extends Error {
  override readonly name = 'MalformedProtobuf'
}

const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

/**
 * Reads one message in the wire format of protocol buffers, field after field, without building anything that is not
 * asked for: the larger part of an object that the API server sends is of no interest, and is stepped over.
 * https://protobuf.dev/programming-guides/encoding/
 */
export class ProtobufReader {
  readonly #bytes: Buffer
  readonly #end: number
  #at: number
  #field = 0
  #wire = 0

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  /** Goes to the next field, whose value must then be read or skipped. Gives its number; 0 at the end. */
  next(): number {
    if (this.#at >= this.#end) return 0
    const tag = this.#varint()
    this.#field = Math.floor(tag / 8)
    this.#wire = tag % 8
    if (this.#field === 0) throw new MalformedProtobuf('a field has the number 0')
    return this.#field
  }

  /** A number that fits 53 bits and is not negative, or a boolean (0 or 1). */
  number(): number {
    this.#expect(wire.varint)
    return this.#varint()
  }

  text(): string {
    const start = this.#enter()
    return this.#bytes.toString('utf8', start, this.#at)
  }

  /** A message within this one. */
  message(): ProtobufReader {
    const start = this.#enter()
    return new ProtobufReader(this.#bytes, start, this.#at)
  }

  skip(): void {
    if (this.#wire === wire.varint) this.#varint()
    else if (this.#wire === wire.bytes) this.#enter()
    else if (this.#wire === wire.fixed64) this.#advance(8)
    else if (this.#wire === wire.fixed32) this.#advance(4)
    else throw new MalformedProtobuf(`field ${this.#field} is of wire type ${this.#wire}, which nobody sends`)
  }

  #expect(type: number): void {
    if (this.#wire === type) return
    throw new MalformedProtobuf(`field ${this.#field} is of wire type ${this.#wire} where ${type} was expected`)
  }

  /** Steps over a value that begins with its length. Gives where it begins. */
  #enter(): number {
    this.#expect(wire.bytes)
    const length = this.#varint()
    const start = this.#at
    this.#advance(length)
    return start
  }

  #advance(length: number): void {
    if (length > this.#end - this.#at) throw new MalformedProtobuf('a value is longer than the message that it is in')
    this.#at += length
  }

  #varint(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      if (this.#at >= this.#end) throw new MalformedProtobuf('a message ends in the middle of a number')
      const byte = this.#bytes[this.#at] ?? 0
      this.#at += 1
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      if (scale > 2 ** 63) throw new MalformedProtobuf('a number is longer than 10 bytes')
    }
  }
}
