import type { Phase } from './phase.ts'

/** 413 to a declared length over the limit, before a byte of the body is read. Chunked bodies are counted as they come. */
export const bodySize: Phase = {
  name: 'body-size',
  bind: ({ route, settings }) => {
    const maxBytes = route.options.maxBodyBytes ?? settings.limits.maxBodyBytes
    if (maxBytes === 0) return undefined
    const answer = { status: 413, error: 'body_too_large' } as const
    return ({ head }) => (head.contentLength > maxBytes ? answer : undefined)
  },
}
