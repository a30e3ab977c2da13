import { mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TableDocument } from '../../src/dashboard/table-document.ts'
import { ingress, ingressDeployment, service, slice, tlsSecret } from '../features/sample-objects.ts'
import type { Member } from './load-connection.ts'
import { podName, type Target } from './load-request.ts'
import { Pods } from './pods.ts'
import { ServeInstance } from './serve-instance.ts'

/** What is served: some Services with pods, hosts of their own, and one host whose paths wander between two of them. */

export interface StageOptions {
  readonly instances: number
  readonly program: string
  readonly workers: number
}

interface Pod {
  readonly name: string
  readonly port: number
}

const serviceNames = ['web-0', 'web-1', 'web-2', 'web-3'] as const
export type ServiceName = (typeof serviceNames)[number]
const podsPerService = 4
/** Prepared, because a swap should cost the proxy time, not the test. */
const certificateCount = 6
const wanderingPaths = 8
const wanderers = ['web-0', 'web-1'] as const

export class Stage implements AsyncDisposable {
  readonly pods = new Pods()
  readonly instances: readonly ServeInstance[]
  readonly targets: Target[] = []
  readonly #folder = mkdtempSync(join(tmpdir(), 'ingress-fleet-soak-'))
  readonly #podsOf = new Map<ServiceName, Pod[]>(serviceNames.map(name => [name, []]))
  readonly #paths: Target[] = Array.from({ length: wanderingPaths }, (_, index) => ({
    host: 'wandering.example.com',
    path: `/part-${index}`,
    tls: true,
    services: [wanderers[index % 2] ?? 'web-0'],
  }))
  readonly #secrets: string[] = []
  #podCount = 0

  constructor({ instances, program, workers }: StageOptions) {
    this.instances = Array.from(
      { length: instances },
      (_, index) => new ServeInstance({ name: `instance-${index}`, folder: this.#folder, program, workers }),
    )
  }

  async set(): Promise<this> {
    for (const name of serviceNames) {
      for (let count = 0; count < podsPerService; count++) await this.openPod(name)
      this.#writeSlices(name)
      const host = `${name}.example.com`
      this.#write(`${name}.json`, service(name), ingress(name, [{ host, service: name }], { tls: tlsOf(host) }))
      this.targets.push({ host, path: '/', tls: true, services: [name] })
    }
    this.#writePaths()
    this.targets.push(...this.#paths)
    this.#write('instance.json', ingressDeployment({ configuration: { tlsRedirect: false } }))
    const hosts = ['*.example.com']
    for (let index = 0; index < certificateCount; index++) {
      this.#secrets.push(await tlsSecret('soak-tls', [certificateName(index), ...hosts]))
    }
    this.writeCertificate(0)
    await Promise.all(this.instances.map(instance => instance.start()))
    return this
  }

  get members(): readonly Member[] {
    return this.instances.map(({ name, ports }) => ({ name, ports }))
  }

  get services(): readonly ServiceName[] {
    return serviceNames
  }

  /** Starts a pod; it gets requests with the next `writeSlices`. */
  async openPod(of: ServiceName): Promise<Pod> {
    const name = podName(of, this.#podCount++)
    const pod = { name, port: await this.pods.open(name) }
    this.#podsOf.get(of)?.push(pod)
    return pod
  }

  /**
   * An EndpointSlice loses its oldest pod and gets a new one. `onUnlisted` is called when every instance serves that;
   * what then becomes of the old pod is the caller's business.
   */
  async replacePod(of: ServiceName, onSlice: (old: string) => Promise<void> = async () => {}): Promise<string> {
    const opened = await this.openPod(of)
    const old = this.#podsOf.get(of)?.shift()
    if (old === undefined) throw new Error(`${of} has no pod`)
    await onSlice(old.name)
    this.#writeSlices(of)
    await this.#untilServed(({ backends }) => {
      const endpoints = backends.filter(({ id }) => id.includes(`/${of}/`)).flatMap(one => one.endpoints)
      const isOld = endpoints.includes(`127.0.0.1:${old.port}`)
      // A later change may have taken the new one away again.
      const isNew = endpoints.includes(`127.0.0.1:${opened.port}`) || !this.#podsOf.get(of)?.includes(opened)
      return isNew && !isOld
    })
    return old.name
  }

  /** Services without endpoints: no connection to any is kept any more. */
  async removePods(): Promise<void> {
    for (const name of serviceNames) {
      this.#podsOf.set(name, [])
      this.#writeSlices(name)
    }
    await this.#untilServed(({ backends }) => backends.every(({ endpoints }) => endpoints.length === 0))
  }

  /** A path of the wandering host goes to the other Service. */
  async movePath(index: number): Promise<void> {
    const path = this.#paths[index % wanderingPaths]
    if (path === undefined) throw new Error(`no path ${index}`)
    const from = path.services
    const to = wanderers.filter(name => !from.includes(name))
    path.services = [...from, ...to]
    this.#writePaths()
    await this.#untilServed(({ hosts }) =>
      hosts
        .filter(({ name }) => name === path.host)
        .flatMap(({ routes }) => routes)
        .some(route => route.path === path.path && to.some(name => route.backend?.includes(`/${name}/`) === true)),
    )
    path.services = to
  }

  /** A host that was not there. Resolves with its target when every instance serves it. */
  async addHost(number: number): Promise<Target> {
    const of = serviceNames[number % serviceNames.length] ?? 'web-0'
    const name = `extra-${number}`
    const target = { host: `${name}.example.com`, path: '/', tls: true, services: [of] }
    this.#write(`${name}.json`, ingress(name, [{ host: target.host, service: of }], { tls: tlsOf(target.host) }))
    await this.#untilServed(({ hosts }) => hosts.some(({ name: served }) => served === target.host))
    return target
  }

  async removeHost(number: number): Promise<void> {
    unlinkSync(join(this.#folder, `extra-${number}.json`))
    await this.#untilServed(({ hosts }) => !hosts.some(({ name }) => name === `extra-${number}.example.com`))
  }

  /** Puts another key pair into the Secret of all hosts. Gives its common name. */
  writeCertificate(number: number): string {
    this.#write('secret.json', this.#secrets[number % certificateCount] ?? '')
    return certificateName(number % certificateCount)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const instance of this.instances) await instance[Symbol.asyncDispose]()
    await this.pods[Symbol.asyncDispose]()
    rmSync(this.#folder, { recursive: true })
  }

  async #untilServed(condition: (table: TableDocument) => boolean): Promise<void> {
    await Promise.all(this.instances.map(instance => instance.untilServes(condition)))
  }

  #writeSlices(of: ServiceName): void {
    const pods = this.#podsOf.get(of) ?? []
    this.#write(`${of}-slices.json`, ...pods.map(({ name, port }) => slice(name, of, port)))
  }

  #writePaths(): void {
    const rules = this.#paths.map(({ host, path, services }) => ({ host, path, service: services.at(-1) ?? '' }))
    this.#write('wandering.json', ingress('wandering', rules, { tls: tlsOf('wandering.example.com') }))
  }

  /** Whole, beside, then renamed into place. */
  #write(name: string, ...documents: readonly string[]): void {
    const file = join(this.#folder, `.${name}.new`)
    writeFileSync(file, documents.join('\n---\n'))
    renameSync(file, join(this.#folder, name))
  }
}

function certificateName(index: number): string {
  return `certificate-${index}.example.com`
}

function tlsOf(host: string): { hosts: string[]; secretName: string }[] {
  return [{ hosts: [host], secretName: 'soak-tls' }]
}
