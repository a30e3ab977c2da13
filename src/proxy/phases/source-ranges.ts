import { matches } from '../../routing/source-ranges.ts'
import type { Phase } from './phase.ts'

/** 403 to clients that the deny list has or the allow list has not. */
export const sourceRanges: Phase = {
  name: 'source-ranges',
  bind: ({ route }) => {
    const { allowSourceRanges: allowed, denySourceRanges: denied } = route.options
    if (allowed === undefined && denied === undefined) return undefined
    const answer = { status: 403, error: 'source_not_allowed' } as const
    return ({ clientAddress }) => {
      if (denied !== undefined && matches(denied, clientAddress)) return answer
      return allowed !== undefined && !matches(allowed, clientAddress) ? answer : undefined
    }
  },
}
