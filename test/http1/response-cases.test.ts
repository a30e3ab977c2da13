import { describe, expect, it } from 'vitest'
import { judgeResponse } from './judgement.ts'
import { exchangeOf } from './simulated-upstream.ts'
import { answeredBy, responseCases } from './wire-cases.ts'

/** Cases about connections and not about what is sent on them. */
const NEED_SOCKETS = [
  'resp-unsolicited',
  'resp-rst-idle-reused',
  'resp-rst-post',
  'resp-refused',
  'more-resp-close-rst',
]

const judged = responseCases
  .filter(({ id }) => !NEED_SOCKETS.includes(id))
  .map(responseCase => [responseCase.id, responseCase] as const)

describe('every response of the case file has its strict outcome', () => {
  it.each(judged)('%s', (_, responseCase) => {
    const closes = responseCase.script.steps.some(step => 'act' in step && step.act !== 'stall')
    const outcome = exchangeOf(responseCase.request, answeredBy(responseCase), closes)
    expect(judgeResponse(responseCase, outcome)).toEqual([])
  })

  it('leaves out the cases that need sockets, and no other', () => {
    expect(responseCases.length - judged.length).toBe(NEED_SOCKETS.length)
  })
})
