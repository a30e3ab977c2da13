import { defaultClassAnnotation } from '../../api/names.ts'
import { distantMetadata, type ManagedObject } from './managed-object.ts'

/** The class that Ingresses name. One that somebody else made for the same controller is used as it is. */
export const ingressClass: ManagedObject = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IngressClass',
  namespaced: false,
  desired: plan => {
    const { name, controller, managed, markedDefault } = plan.ingressClass
    if (!managed) return []
    const annotations = markedDefault ? { annotations: { [defaultClassAnnotation]: 'true' } } : {}
    return [
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'IngressClass',
        metadata: { ...distantMetadata(plan, name), ...annotations },
        spec: { controller },
      },
    ]
  },
  // spec.controller can't be changed. Ingresses refer to the class by name, so a new one of that name serves them.
  mustReplace: (live, desired) => controllerOf(live['spec']) !== controllerOf(desired['spec']),
}

function controllerOf(spec: unknown): string | undefined {
  return (spec as { readonly controller?: string } | undefined)?.controller
}
