import { describe, expect, it } from 'vitest'
import type { RequestCase } from '../../hack/cases/case-file.ts'
import { judgeRequest, targetOf } from './judgement.ts'
import { recordedMessage, valuesOf } from './recorded-message.ts'
import { CLIENT_ADDRESS, type ConnectionOutcome, outcomeOf } from './simulated-client.ts'
import { requestCases, sentBy } from './wire-cases.ts'

/** Cases about time, which this room knows nothing of. */
const NEED_A_CLOCK = [
  'conn-idle-open',
  'conn-slow-body',
  'more-conn-slow-head',
  'more-conn-slow-head-head',
  'more-conn-slow-chunk',
]

/** A case that sends more is cut into larger pieces, for the sake of time. */
const PIECEMEAL_OCTETS = 2500
const LARGE_PIECE_OCTETS = 61

const judged = requestCases
  .filter(({ id }) => !NEED_A_CLOCK.includes(id))
  .map(requestCase => [requestCase.id, requestCase] as const)

describe('every raw request of the case file has its strict outcome', () => {
  it.each(judged)('%s', (_, requestCase) => {
    const pieces = requestCase.parts.map(part => part.octets)
    expect(judgeRequest(requestCase, outcomeOf(pieces))).toEqual([])
  })

  it.each(judged)('%s, the same one octet at a time', (_, requestCase) => {
    const octets = sentBy(requestCase).subarray(0, 40_000)
    const length = octets.length > PIECEMEAL_OCTETS ? LARGE_PIECE_OCTETS : 1
    const starts = Array.from({ length: Math.ceil(octets.length / length) }, (_, index) => index * length)
    const piecemeal = outcomeOf(starts.map(start => octets.subarray(start, start + length)))
    expect(meaningOf(piecemeal)).toEqual(meaningOf(outcomeOf([octets])))
  })

  it('leaves out the cases that need a clock, and no other', () => {
    expect(requestCases.length - judged.length).toBe(NEED_A_CLOCK.length)
  })
})

describe('what the case file tells in notes', () => {
  it('sends no interim response to an HTTP/1.0 client', () => {
    expect(outcomeOf([sentBy(caseOf('exp-100-http10'))]).continuesSent).toBe(0)
  })

  it('sends 100 before the body to a client that waits for it', () => {
    expect(outcomeOf([caseOf('exp-100').parts[0]?.octets ?? Buffer.alloc(0)]).continuesSent).toBe(1)
  })

  it('reads early bytes after a refused upgrade as the next request', () => {
    const messages = outcomeOf([sentBy(caseOf('upg-early-bytes'))]).forwarded.map(raw => recordedMessage(raw))
    expect(messages.map(targetOf)).toEqual(['/ws-refused', '/smuggled'])
    expect(messages.map(message => valuesOf(message, 'x-forwarded-for'))).toEqual([[CLIENT_ADDRESS], [CLIENT_ADDRESS]])
  })
})

function caseOf(id: string): RequestCase {
  const found = requestCases.find(requestCase => requestCase.id === id)
  if (found === undefined) throw new Error(`the case file has no case ${id}`)
  return found
}

/** Chunks follow the pieces that arrived; the message that they carry must not. */
function meaningOf(outcome: ConnectionOutcome): unknown {
  const messages = outcome.forwarded.map(raw => {
    const { startLine, fields, body, complete } = recordedMessage(raw)
    return { startLine, fields, body, complete }
  })
  return { ...outcome, forwarded: messages }
}
