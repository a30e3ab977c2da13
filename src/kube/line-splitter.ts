const newline = 0x0a

/** Cuts a stream of bytes into lines without decoding it: a character may be split between two chunks. */
export class LineSplitter {
  readonly #onLine: (line: Buffer) => void
  readonly #maxLineBytes: number
  #parts: Buffer[] = []
  #pendingBytes = 0

  constructor(onLine: (line: Buffer) => void, maxLineBytes: number) {
    this.#onLine = onLine
    this.#maxLineBytes = maxLineBytes
  }

  /** Bytes of the line that has not ended yet. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** Gives every line that ends in `chunk`, without its newline; empty lines are left out. Throws when one is too long. */
  push(chunk: Buffer): void {
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      this.#keep(chunk.subarray(start, end))
      start = end + 1
      const line = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts)
      this.#parts = []
      this.#pendingBytes = 0
      if (line && line.length > 0) this.#onLine(line)
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start))
  }

  #keep(part: Buffer): void {
    this.#pendingBytes += part.length
    if (this.#pendingBytes > this.#maxLineBytes) {
      throw new Error(`reading a line of the stream: longer than the allowed ${this.#maxLineBytes} bytes`)
    }
    this.#parts.push(part)
  }
}
