import { describe, expect, it } from 'vitest'
import { octetsOf, type RequestCase, readCases, sentBy } from './case-file.ts'
import { judgeRequest, targetOf } from './judgement.ts'
import { recordedMessage, valuesOf } from './recorded-message.ts'
import { CLIENT_ADDRESS, type ConnectionOutcome, outcomeOf } from './simulated-client.ts'

/** Cases about time, which this room knows nothing of. */
const NEED_A_CLOCK = ['conn-idle-open', 'conn-slow-body']

/** More than any limit of a head; a case that sends more is cut for the sake of time. */
const PIECEMEAL_OCTETS = 20_000

const judged = readCases()
  .cases.filter(({ id }) => !NEED_A_CLOCK.includes(id))
  .map(requestCase => [requestCase.id, requestCase] as const)

describe('every raw request of the case file has its strict outcome', () => {
  it.each(judged)('%s', (_, requestCase) => {
    const pieces = requestCase.parts?.map(part => octetsOf(part.send)) ?? [sentBy(requestCase)]
    expect(judgeRequest(requestCase, outcomeOf(pieces))).toEqual([])
  })

  it.each(judged)('%s, the same one octet at a time', (_, requestCase) => {
    const octets = sentBy(requestCase).subarray(0, PIECEMEAL_OCTETS)
    const piecemeal = outcomeOf(Array.from(octets, octet => Buffer.from([octet])))
    expect(meaningOf(piecemeal)).toEqual(meaningOf(outcomeOf([octets])))
  })

  it('leaves out the cases that need a clock, and no other', () => {
    expect(readCases().cases.length - judged.length).toBe(NEED_A_CLOCK.length)
  })
})

describe('what the case file tells in notes', () => {
  it('sends no interim response to an HTTP/1.0 client', () => {
    expect(outcomeOf([sentBy(caseOf('exp-100-http10'))]).continuesSent).toBe(0)
  })

  it('sends 100 before the body to a client that waits for it', () => {
    expect(outcomeOf([octetsOf(caseOf('exp-100').parts?.[0]?.send ?? '')]).continuesSent).toBe(1)
  })

  it('reads early bytes after a refused upgrade as the next request', () => {
    const messages = outcomeOf([sentBy(caseOf('upg-early-bytes'))]).forwarded.map(raw => recordedMessage(raw))
    expect(messages.map(targetOf)).toEqual(['/ws-refused', '/smuggled'])
    expect(messages.map(message => valuesOf(message, 'x-forwarded-for'))).toEqual([[CLIENT_ADDRESS], [CLIENT_ADDRESS]])
  })
})

function caseOf(id: string): RequestCase {
  const found = readCases().cases.find(requestCase => requestCase.id === id)
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
