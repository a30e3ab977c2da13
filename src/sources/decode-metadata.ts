import type { ObjectMeta } from '../api/kubernetes.ts'
import { MalformedProtobuf, type ProtobufReader } from '../kube/protobuf-reader.ts'

/**
 * The objects of long lists as the API server sends them in its own encoding, with the fields that `ingest` reads. The
 * numbers are those of `generated.proto` in k8s.io/api and never change. Empty texts and zeros stand for absent where
 * JSON leaves them out, and what is kept as text has its fields in the order of the JSON.
 */

export type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

/** Calls `read` for every field of a message; a field that it does not know (false) is skipped. */
export function eachField(reader: ProtobufReader, read: (field: number) => boolean): void {
  for (let field = reader.next(); field !== 0; field = reader.next()) if (!read(field)) reader.skip()
}

/** Every object of the API server has its metadata. */
export function required<T>(metadata: T | undefined): T {
  if (metadata === undefined) throw new MalformedProtobuf('an object has no metadata')
  return metadata
}

export function decodeMetadata(
  reader: ProtobufReader,
  wanted: 'its name' | 'its name and labels' | 'all of it',
): ObjectMeta {
  const metadata: Writable<ObjectMeta> = { name: '' }
  const labels: Record<string, string> = {}
  const annotations: Record<string, string> = {}
  eachField(reader, field => {
    if (field === 1) metadata.name = reader.text()
    else if (field === 3) metadata.namespace = reader.text()
    else if (field === 6) metadata.resourceVersion = reader.text()
    else if (wanted === 'its name') return false
    else if (field === 11) decodeEntry(reader.message(), labels)
    else if (wanted !== 'all of it') return false
    else if (field === 5) metadata.uid = reader.text()
    else if (field === 8) metadata.creationTimestamp = decodeTime(reader.message())
    else if (field === 12) decodeEntry(reader.message(), annotations)
    else return false
    return true
  })
  if (metadata.namespace === '') delete metadata.namespace
  if (Object.keys(labels).length > 0) metadata.labels = labels
  if (Object.keys(annotations).length > 0) metadata.annotations = annotations
  return metadata
}

/** Seconds in field 1; the API server keeps no fractions. */
function decodeTime(reader: ProtobufReader): string {
  let seconds = 0
  eachField(reader, field => {
    if (field !== 1) return false
    seconds = reader.number()
    return true
  })
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}

function decodeEntry(reader: ProtobufReader, into: Record<string, string>): void {
  let key = ''
  let value = ''
  eachField(reader, field => {
    if (field === 1) key = reader.text()
    else if (field === 2) value = reader.text()
    else return false
    return true
  })
  into[key] = value
}
