import { Socket } from 'node:net'

type Done = (error?: Error | null) => void

/**
 * A socket that goes on reading when it cannot write any more: an endpoint that answers before it has read the whole
 * request, with 413 say, and then resets the connection, has its answer read. Of Node's own socket the failed write
 * ends the reading, too.
 *
 * Writes come one after another, so that one callback for all of them is enough.
 */
export class UpstreamSocket extends Socket {
  /** A write has failed; what is written from now on is lost. */
  writeFailed: () => void = () => {}
  #done: Done = () => {}
  readonly #afterWrite: Done = error => {
    const isLost = error !== undefined && error !== null && lostCodes.has((error as NodeJS.ErrnoException).code ?? '')
    if (isLost) this.writeFailed()
    this.#done(isLost ? null : error)
  }

  override _write(chunk: unknown, encoding: BufferEncoding, done: Done): void {
    this.#done = done
    super._write(chunk, encoding, this.#afterWrite)
  }

  override _writev(chunks: { chunk: unknown; encoding: BufferEncoding }[], done: Done): void {
    this.#done = done
    super._writev?.(chunks, this.#afterWrite)
  }
}

/** Of writes that fail because the peer is gone; what it sent may still be here. */
export const lostCodes: ReadonlySet<string> = new Set(['EPIPE', 'ECONNRESET'])
