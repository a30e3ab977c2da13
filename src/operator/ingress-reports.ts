import type { ObjectReference, Problem } from '../api/problem.ts'
import type { EventRequest } from '../kube/event-recorder.ts'
import type { WatchedIngress } from './caches.ts'

/** What was told of one instance's Ingresses so far. */
interface Told {
  /** Ingress → uid and generation for which `Sync` was told. */
  readonly accepted: Map<string, string>
  readonly problems: Set<string>
}

export interface IngressFindings {
  readonly served: readonly WatchedIngress[]
  readonly problems: readonly Problem[]
}

/**
 * Events about Ingresses: `Sync` once for each version of an Ingress that is accepted, a warning once for each problem
 * while it lasts. What was accepted before the operator started is known by the status that it wrote then.
 */
export class IngressReports {
  readonly #record: (event: EventRequest) => void
  readonly #told = new Map<string, Told>()

  constructor(record: (event: EventRequest) => void) {
    this.#record = record
  }

  report(key: string, { served, problems }: IngressFindings): void {
    const before = this.#told.get(key)
    const told: Told = before ?? { accepted: new Map(), problems: new Set() }
    this.#told.set(key, told)
    this.#warn(told, problems)
    const refused = new Set(problems.map(({ object }) => `${object.kind}/${object.namespace}/${object.name}`))
    const present = new Set<string>()
    for (const ingress of served) {
      const { namespace = '', name } = ingress.metadata
      const id = `${namespace}/${name}`
      present.add(id)
      if (!refused.has(`Ingress/${id}`)) this.#accept(told, ingress, before === undefined)
    }
    for (const id of told.accepted.keys()) if (!present.has(id)) told.accepted.delete(id)
  }

  forget(key: string): void {
    this.#told.delete(key)
  }

  #accept(told: Told, ingress: WatchedIngress, first: boolean): void {
    const { namespace = '', name, uid = '', generation = 0 } = ingress.metadata
    const version = `${uid} ${generation}`
    const id = `${namespace}/${name}`
    if (told.accepted.get(id) === version) return
    told.accepted.set(id, version)
    if (first && ingress.statusWritten) return
    const object: ObjectReference = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace, name, uid }
    this.#record({ object, type: 'Normal', reason: 'Sync', message: 'Scheduled for sync' })
  }

  #warn(told: Told, problems: readonly Problem[]): void {
    const now = new Set(problems.map(problem => JSON.stringify(problem)))
    for (const text of told.problems) if (!now.has(text)) told.problems.delete(text)
    for (const problem of problems) {
      const text = JSON.stringify(problem)
      if (told.problems.has(text)) continue
      told.problems.add(text)
      const { object, reason, field, message } = problem
      this.#record({ object, type: 'Warning', reason, message: field === '' ? message : `${field}: ${message}` })
    }
  }
}
