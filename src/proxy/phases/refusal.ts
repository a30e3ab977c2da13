import type { Phase } from './phase.ts'

/** A route whose configuration cannot be honoured is not served: 503, before anything else may answer. */
export const refusal: Phase = {
  name: 'refusal',
  bind: ({ route }) => {
    if (route.refusal === undefined) return undefined
    const answer = { status: route.refusal.status, error: 'route_refused' } as const
    return () => answer
  },
}
