/** Which Kubernetes object a problem or an event concerns. */
export interface ObjectReference {
  readonly apiVersion: string
  readonly kind: string
  /** Empty for a cluster-scoped object. */
  readonly namespace: string
  readonly name: string
  readonly uid?: string
}

/**
 * A user's mistake: returned, never thrown. It ends in a condition, an Event, a log line or an admission answer.
 *
 * `reason` is CamelCase and stable, for programs; `message` says what is wrong, what is allowed and what to do next.
 */
export interface Problem {
  readonly object: ObjectReference
  /** Path of the field concerned, as in `spec.rules[0].host`; empty when it is the object as a whole. */
  readonly field: string
  readonly reason: string
  readonly message: string
}
