/** How an endpoint can be chosen for a request; `proxy/balancers` has a row for each. */
export const algorithms = ['round_robin', 'least_requests', 'ewma', 'consistent_hash'] as const

export type Algorithm = (typeof algorithms)[number]
