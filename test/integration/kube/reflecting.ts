import { onTestFinished } from 'vitest'
import type { ConfigMap, KubernetesObject } from '../../../src/api/kubernetes.ts'
import type { KubeClient } from '../../../src/kube/client.ts'
import { Reflector, type ReflectorOptions } from '../../../src/kube/reflector.ts'
import { resources } from '../../../src/kube/resource.ts'
import { Store } from '../../../src/kube/store.ts'
import { silentLog } from '../../kube/silent-log.ts'

/** Label of the ConfigMaps that these tests make; the controllers make others. */
const label = { 'test.ingressfleet.dev/kept': 'yes' }
export const labelSelector = 'test.ingressfleet.dev/kept=yes'

/** Failures of tests are short, so are the waits after them. */
const timings = { initialBackoffMs: 20, maxBackoffMs: 500, maxRefusedBackoffMs: 200 }

export interface Reflecting {
  readonly reflector: Reflector<string>
  /** What each ConfigMap holds under `value`. */
  readonly store: Store<string>
  /** Every change that listeners heard, as in `set shop/a 1` and `deleted shop/a`. */
  readonly heard: string[]
}

/** Reflects the ConfigMaps of a namespace until the end of the test. */
export function reflectConfigMaps(client: KubeClient, options: Partial<ReflectorOptions<string>> = {}): Reflecting {
  const store = new Store<string>()
  const heard: string[] = []
  store.subscribe((key, value) => heard.push(value === undefined ? `deleted ${key}` : `set ${key} ${value}`))
  const reflector = new Reflector({
    client,
    resource: resources.configMaps,
    store,
    transform: (raw: KubernetesObject) => (raw as ConfigMap).data?.['value'] ?? '',
    log: silentLog(),
    labelSelector,
    ...options,
    timings: { ...timings, ...options.timings },
  })
  onTestFinished(() => reflector.stop())
  reflector.start()
  return { reflector, store, heard }
}

export function configMap(namespace: string, name: string, value: string): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name, labels: label }, data: { value } }
}

/** Creates or changes a ConfigMap. */
export async function put(client: KubeClient, object: ConfigMap): Promise<void> {
  const { namespace = '', name } = object.metadata
  const patch = { type: 'apply', fieldManager: 'test', force: true, body: object } as const
  await client.patch(resources.configMaps, { namespace, name }, patch)
}

export async function remove(client: KubeClient, namespace: string, name: string): Promise<void> {
  await client.delete(resources.configMaps, { namespace, name })
}
