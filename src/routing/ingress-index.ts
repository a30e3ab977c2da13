import type { IngressModel } from './ingress-model.ts'
import { ReverseIndex } from './reverse-index.ts'
import { objectKey } from './snapshot.ts'

/** The Ingresses that are served, and who of them refers to what: so that no change needs a look at all of them. */
export class IngressIndex {
  readonly #models = new Map<string, IngressModel>()
  readonly #ofHost = new ReverseIndex()
  readonly #ofBackend = new ReverseIndex()
  readonly #ofSecret = new ReverseIndex()
  readonly #backendsOfService = new ReverseIndex()

  get(key: string): IngressModel | undefined {
    return this.#models.get(key)
  }

  replace(key: string, model: IngressModel | undefined): void {
    const before = this.#models.get(key)
    if (before !== undefined) this.#remove(key, before)
    if (model !== undefined) this.#add(key, model)
  }

  /** In no order. */
  ofHost(name: string): readonly IngressModel[] {
    return this.#resolve(this.#ofHost.get(name))
  }

  ofBackend(id: string): readonly IngressModel[] {
    return this.#resolve(this.#ofBackend.get(id))
  }

  ofSecret(key: string): readonly IngressModel[] {
    return this.#resolve(this.#ofSecret.get(key))
  }

  backendsOfService(serviceKey: string): Iterable<string> {
    return this.#backendsOfService.get(serviceKey)
  }

  backends(): Iterable<string> {
    return this.#ofBackend.keys()
  }

  secrets(): Iterable<string> {
    return this.#ofSecret.keys()
  }

  #resolve(keys: Iterable<string>): readonly IngressModel[] {
    return [...keys].map(key => this.#models.get(key)).filter(model => model !== undefined)
  }

  #add(key: string, model: IngressModel): void {
    this.#models.set(key, model)
    for (const host of model.hosts.keys()) this.#ofHost.add(host, key)
    for (const secret of model.secrets) this.#ofSecret.add(secret, key)
    for (const { id, namespace, service } of model.backends.values()) {
      this.#ofBackend.add(id, key)
      this.#backendsOfService.add(objectKey(namespace, service), id)
    }
  }

  #remove(key: string, model: IngressModel): void {
    this.#models.delete(key)
    for (const host of model.hosts.keys()) this.#ofHost.delete(host, key)
    for (const secret of model.secrets) this.#ofSecret.delete(secret, key)
    for (const { id, namespace, service } of model.backends.values()) {
      this.#ofBackend.delete(id, key)
      if (!this.#ofBackend.has(id)) this.#backendsOfService.delete(objectKey(namespace, service), id)
    }
  }
}
