import type { Refusal } from './messages.ts'
import { BACKSLASH, COLON, CR, DOUBLE_QUOTE, EQUALS, HEXDIG, HTAB, LF, SEMICOLON, SP, TOKEN, VALUE } from './octets.ts'

/**
 * Bodies of messages, RFC 9112 sections 6 and 7. Chunked coding is a table of small steps, one octet each; only chunk
 * data is passed on in ranges. Longer than other files so that the whole coding is read in one place.
 */

/** Digits of a chunk size, leading zeros included. */
const MAX_CHUNK_SIZE_DIGITS = 16
/** A larger chunk is no use of a server, and its size would not fit peers that count in 32 bits. */
const MAX_CHUNK_BYTES = 0xffff_ffff
/** Extension octets of a whole body. */
const MAX_EXTENSION_BYTES = 4096
const MAX_TRAILER_BYTES = 16_384
const MAX_TRAILER_COUNT = 100

export interface BodyLimits {
  /** Decoded octets of the whole body; 0 is unlimited. */
  readonly maxBodyBytes: number
}

const UNLIMITED: BodyLimits = { maxBodyBytes: 0 }

/** Smaller pieces of chunk data are joined before they are given on. */
const JOINED_BYTES = 4096

/** Takes decoded octets; they are valid during the call only. */
type BodySink = (bytes: Buffer, start: number, end: number) => void

// states of the chunked coding
const SIZE = 0
const EXTENSION_SPACE = 1
const EXTENSION_NAME_START = 2
const EXTENSION_NAME = 3
const EXTENSION_NAME_SPACE = 4
const EXTENSION_VALUE_START = 5
const EXTENSION_TOKEN = 6
const EXTENSION_QUOTED = 7
const EXTENSION_QUOTED_PAIR = 8
const EXTENSION_VALUE_END = 9
const SIZE_LINE_FEED = 10
const DATA = 11
const DATA_RETURN = 12
const DATA_LINE_FEED = 13
const TRAILER_START = 14
const TRAILER_NAME = 15
const TRAILER_VALUE = 16
const TRAILER_LINE_FEED = 17
const FINAL_LINE_FEED = 18

/** Reads one message body. It ends `done`, or `failed` for good, or stays open for more octets. */
export class BodyReader {
  readonly framing: 'length' | 'chunked' | 'close'
  /** The last octet of the body was read; with framing `close` only once `endOfInput` was called. */
  done = false
  failed: Refusal | undefined
  /** Decoded octets so far. */
  received = 0

  readonly #maxBodyBytes: number
  #state = SIZE
  /** Octets still to come: of the body with framing `length`, of the chunk with `chunked`. */
  #left = 0
  #sizeDigits = 0
  #extensionBytes = 0
  #trailerBytes = 0
  #trailerCount = 0

  /** `contentLength` counts with framing `length` only; one above the limit fails at once with 413. */
  constructor(framing: 'length' | 'chunked' | 'close', contentLength: number, limits: BodyLimits = UNLIMITED) {
    this.framing = framing
    this.#maxBodyBytes = limits.maxBodyBytes === 0 ? Number.POSITIVE_INFINITY : limits.maxBodyBytes
    if (framing !== 'length') return
    this.#left = contentLength
    if (contentLength > this.#maxBodyBytes) this.#fail(413, 'body-too-large')
    else this.done = contentLength === 0
  }

  /**
   * Give decoded octets of `start` … `end` to `sink`. Returns the offset after the last octet consumed: `end` unless
   * the body ended or failed before it. Consumed octets of a chunked body may be overwritten: the data of small chunks
   * is moved together, so that a body in chunks of one octet does not become as many pieces.
   */
  read(bytes: Buffer, start: number, end: number, sink: BodySink): number {
    if (this.done || this.failed !== undefined || start >= end) return start
    if (this.framing === 'chunked') return this.#readChunked(bytes, { start, end }, sink)
    if (this.framing === 'length') return this.#readLength(bytes, { start, end }, sink)
    return this.#readToClose(bytes, { start, end }, sink)
  }

  /** The peer will send no more: true when the body is complete, which then is `done`. */
  endOfInput(): boolean {
    if (this.framing === 'close' && this.failed === undefined) this.done = true
    return this.done
  }

  #readLength(bytes: Buffer, range: { start: number; end: number }, sink: BodySink): number {
    const stop = Math.min(range.end, range.start + this.#left)
    this.#left -= stop - range.start
    this.received += stop - range.start
    this.done = this.#left === 0
    sink(bytes, range.start, stop)
    return stop
  }

  #readToClose(bytes: Buffer, range: { start: number; end: number }, sink: BodySink): number {
    const stop = Math.min(range.end, range.start + this.#maxBodyBytes - this.received)
    if (stop > range.start) {
      this.received += stop - range.start
      sink(bytes, range.start, stop)
    }
    if (stop < range.end) this.#fail(413, 'body-too-large')
    return stop
  }

  #readChunked(bytes: Buffer, range: { start: number; end: number }, sink: BodySink): number {
    let at = range.start
    /** Data not yet given on. */
    let from = at
    let to = at
    while (at < range.end && !this.done) {
      if (this.#state !== DATA) {
        this.#step(bytes[at] as number)
        if (this.failed !== undefined) break
        at++
        continue
      }
      const stop = Math.min(range.end, at + this.#left)
      const length = stop - at
      this.#left -= length
      this.received += length
      if (this.#left === 0) this.#state = DATA_RETURN
      if (to > from && length < JOINED_BYTES) {
        bytes.copyWithin(to, at, stop)
        to += length
      } else {
        if (to > from) sink(bytes, from, to)
        from = at
        to = stop
      }
      at = stop
    }
    if (to > from) sink(bytes, from, to)
    return at
  }

  /** One octet that is not chunk data. */
  #step(octet: number): void {
    switch (this.#state) {
      case SIZE:
        this.#size(octet)
        break
      case SIZE_LINE_FEED:
        this.#endSizeLine(octet)
        break
      case DATA_RETURN:
        this.#expect(octet, CR, DATA_LINE_FEED)
        break
      case DATA_LINE_FEED:
        this.#expect(octet, LF, SIZE)
        this.#sizeDigits = 0
        break
      case TRAILER_START:
      case TRAILER_NAME:
      case TRAILER_VALUE:
      case TRAILER_LINE_FEED:
        this.#trailer(octet)
        break
      case FINAL_LINE_FEED:
        if (octet === LF) this.done = true
        else this.#fail(400, 'chunk-line-end')
        break
      default:
        this.#extension(octet)
    }
  }

  #size(octet: number): void {
    const digit = HEXDIG[octet] as number
    if (digit !== 255) {
      this.#left = this.#left * 16 + digit
      this.#sizeDigits++
      if (this.#sizeDigits > MAX_CHUNK_SIZE_DIGITS) this.#fail(400, 'chunk-size-too-long')
      return
    }
    if (this.#sizeDigits === 0) this.#fail(400, 'chunk-size-syntax')
    else if (octet === CR) this.#state = SIZE_LINE_FEED
    else if (octet === SEMICOLON) this.#state = EXTENSION_NAME_START
    else if (octet === SP || octet === HTAB) this.#state = EXTENSION_SPACE
    else this.#fail(400, 'chunk-size-syntax')
  }

  #endSizeLine(octet: number): void {
    if (octet !== LF) this.#fail(400, 'chunk-line-end')
    else if (this.#left === 0) this.#state = TRAILER_START
    else if (this.#left > MAX_CHUNK_BYTES) this.#fail(413, 'chunk-too-large')
    else if (this.received + this.#left > this.#maxBodyBytes) this.#fail(413, 'body-too-large')
    else this.#state = DATA
  }

  #expect(octet: number, expected: number, next: number): void {
    if (octet === expected) this.#state = next
    else this.#fail(400, 'chunk-data-end')
  }

  /** RFC 9112 section 7.1.1: `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`. */
  #extension(octet: number): void {
    this.#extensionBytes++
    const next = this.#extensionBytes > MAX_EXTENSION_BYTES ? -1 : extensionStep(this.#state, octet)
    if (next < 0) this.#fail(400, 'chunk-extension')
    else this.#state = next
  }

  #trailer(octet: number): void {
    this.#trailerBytes++
    if (this.#trailerBytes > MAX_TRAILER_BYTES) return this.#fail(431, 'trailer-too-large')
    if (this.#state === TRAILER_START && octet !== CR) {
      this.#trailerCount++
      if (this.#trailerCount > MAX_TRAILER_COUNT) return this.#fail(431, 'too-many-trailer-fields')
    }
    const next = trailerStep(this.#state, octet)
    if (next < 0) this.#fail(400, 'trailer-syntax')
    else this.#state = next
  }

  #fail(status: Refusal['status'], reason: string): void {
    this.failed = { status, reason }
  }
}

/** State after this octet of a chunk extension; -1 when it may not stand here. */
function extensionStep(state: number, octet: number): number {
  const isSpace = octet === SP || octet === HTAB
  switch (state) {
    case EXTENSION_SPACE:
      if (isSpace) return EXTENSION_SPACE
      return octet === SEMICOLON ? EXTENSION_NAME_START : -1
    case EXTENSION_NAME_START:
      if (isSpace) return EXTENSION_NAME_START
      return TOKEN[octet] === 1 ? EXTENSION_NAME : -1
    case EXTENSION_NAME:
      if (TOKEN[octet] === 1) return EXTENSION_NAME
      if (octet === EQUALS) return EXTENSION_VALUE_START
      return isSpace ? EXTENSION_NAME_SPACE : afterExtension(octet)
    case EXTENSION_NAME_SPACE:
      if (isSpace) return EXTENSION_NAME_SPACE
      if (octet === EQUALS) return EXTENSION_VALUE_START
      return octet === SEMICOLON ? EXTENSION_NAME_START : -1
    case EXTENSION_VALUE_START:
      if (isSpace) return EXTENSION_VALUE_START
      if (octet === DOUBLE_QUOTE) return EXTENSION_QUOTED
      return TOKEN[octet] === 1 ? EXTENSION_TOKEN : -1
    case EXTENSION_TOKEN:
      if (TOKEN[octet] === 1) return EXTENSION_TOKEN
      return isSpace ? EXTENSION_SPACE : afterExtension(octet)
    case EXTENSION_QUOTED:
      if (octet === DOUBLE_QUOTE) return EXTENSION_VALUE_END
      if (octet === BACKSLASH) return EXTENSION_QUOTED_PAIR
      return VALUE[octet] === 1 ? EXTENSION_QUOTED : -1
    case EXTENSION_QUOTED_PAIR:
      return VALUE[octet] === 1 ? EXTENSION_QUOTED : -1
    case EXTENSION_VALUE_END:
      return isSpace ? EXTENSION_SPACE : afterExtension(octet)
    default:
      return -1
  }
}

function afterExtension(octet: number): number {
  if (octet === SEMICOLON) return EXTENSION_NAME_START
  return octet === CR ? SIZE_LINE_FEED : -1
}

/** The same for the trailer section, which obeys the rules of field lines. */
function trailerStep(state: number, octet: number): number {
  switch (state) {
    case TRAILER_START:
      if (octet === CR) return FINAL_LINE_FEED
      return TOKEN[octet] === 1 ? TRAILER_NAME : -1
    case TRAILER_NAME:
      if (octet === COLON) return TRAILER_VALUE
      return TOKEN[octet] === 1 ? TRAILER_NAME : -1
    case TRAILER_VALUE:
      if (octet === CR) return TRAILER_LINE_FEED
      return VALUE[octet] === 1 ? TRAILER_VALUE : -1
    case TRAILER_LINE_FEED:
      return octet === LF ? TRAILER_START : -1
    default:
      return -1
  }
}
