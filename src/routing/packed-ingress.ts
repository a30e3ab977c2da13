import type { Ingress, ObjectMeta } from '../api/kubernetes.ts'

/** An Ingress as two texts: it is read when it changes, and then hardly ever again. */
export interface PackedIngress {
  readonly apiVersion: string
  readonly kind: 'Ingress'
  /** Name and namespace alone. */
  readonly metadata: ObjectMeta
  /** JSON of what decides how it is served: identity, annotations and spec. Two versions with one text say the same. */
  readonly said: string
  /** JSON of its labels, which decide only whether it is served; empty without any. */
  readonly labels: string
}

export function packIngress({ apiVersion, kind, metadata, spec }: Ingress): PackedIngress {
  const { name, namespace, uid, creationTimestamp, annotations, labels } = metadata
  return {
    apiVersion,
    kind,
    metadata: namespace === undefined ? { name } : { name, namespace },
    said: JSON.stringify({ uid, creationTimestamp, annotations, spec }),
    labels: labels === undefined ? '' : JSON.stringify(labels),
  }
}

export function unpackIngress({ apiVersion, kind, metadata, said, labels }: PackedIngress): Ingress {
  const { spec, ...rest } = JSON.parse(said) as Ingress['metadata'] & Pick<Ingress, 'spec'>
  const own = labels === '' ? {} : { labels: JSON.parse(labels) as Record<string, string> }
  return { apiVersion, kind, metadata: { ...rest, ...metadata, ...own }, ...(spec === undefined ? {} : { spec }) }
}
