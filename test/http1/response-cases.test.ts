import { describe, expect, it } from 'vitest'
import { octetsOf, readCases } from './case-file.ts'
import { judgeResponse } from './judgement.ts'
import { exchangeOf } from './simulated-upstream.ts'

/** Cases about connections and not about what is sent on them. */
const NEED_SOCKETS = ['resp-unsolicited', 'resp-rst-idle-reused', 'resp-rst-post', 'resp-refused']

const judged = readCases()
  .response_cases.filter(({ id }) => !NEED_SOCKETS.includes(id))
  .map(responseCase => [responseCase.id, responseCase] as const)

describe('every response of the case file has its strict outcome', () => {
  it.each(judged)('%s', (_, responseCase) => {
    const closes = responseCase.upstream_sends.endsWith('<CLOSE>')
    const sent = octetsOf(responseCase.upstream_sends.replace(/<(?:CLOSE|STALL)>$/, ''))
    expect(judgeResponse(responseCase, exchangeOf(octetsOf(responseCase.request), sent, closes))).toEqual([])
  })

  it('leaves out the cases that need sockets, and no other', () => {
    expect(readCases().response_cases.length - judged.length).toBe(NEED_SOCKETS.length)
  })
})
