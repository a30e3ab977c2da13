import { MalformedProtobuf, ProtobufReader } from './protobuf-reader.ts'

/** Media type of the API server's own encoding: half the bytes of JSON, and a quarter of its work to write them. */
export const protobufMediaType = 'application/vnd.kubernetes.protobuf'

/** `k8s` and a zero byte come first, then a message `Unknown` that holds the list. */
const magic = Buffer.from('k8s\0')

/** A page of a list, its items not yet read. */
export interface ProtobufList {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
  readonly items: readonly ProtobufReader[]
}

/**
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#alternate-representations-of-resources
 * Every list has its metadata in field 1 and its items in field 2.
 */
export function readProtobufList(body: Buffer): ProtobufList {
  if (!body.subarray(0, magic.length).equals(magic)) {
    throw new MalformedProtobuf('a list does not begin as the API server begins every object')
  }
  const unknown = new ProtobufReader(body, magic.length)
  let list: ProtobufReader | undefined
  for (let field = unknown.next(); field !== 0; field = unknown.next()) {
    if (field === 2) list = unknown.message()
    else unknown.skip()
  }
  if (list === undefined) throw new MalformedProtobuf('there is no list in the answer')
  let metadata = { resourceVersion: '' }
  const items: ProtobufReader[] = []
  for (let field = list.next(); field !== 0; field = list.next()) {
    if (field === 1) metadata = readListMeta(list.message())
    else if (field === 2) items.push(list.message())
    else list.skip()
  }
  return { metadata, items }
}

function readListMeta(reader: ProtobufReader): { resourceVersion: string; continue?: string } {
  let resourceVersion = ''
  let next = ''
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 2) resourceVersion = reader.text()
    else if (field === 3) next = reader.text()
    else reader.skip()
  }
  return next === '' ? { resourceVersion } : { resourceVersion, continue: next }
}
