import { type Document, LineCounter, parseAllDocuments } from 'yaml'
import { type ManifestObject, manifestKinds } from './manifest-kinds.ts'
import { type FieldPath, findMisfit, formatFieldPath, isMapping } from './shape.ts'

/** An object and where it begins in its file; lines and columns count from 1. */
export interface Manifest {
  readonly object: ManifestObject
  readonly line: number
}

/** What is wrong in a file, at a place where an editor can jump to. */
export interface FileProblem {
  /** Relative to the folder. */
  readonly file: string
  readonly line: number
  readonly column: number
  readonly message: string
}

/** A text of one or more documents, read. With problems there are no manifests: a file counts as a whole. */
export interface ParsedManifests {
  readonly manifests: readonly Manifest[]
  readonly problems: readonly Omit<FileProblem, 'file'>[]
  /** Kinds that are not read, as `apps/v1 Deployment`. */
  readonly ignored: readonly string[]
}

interface Position {
  readonly line: number
  readonly column: number
}

/** Many objects in few files are the rule: what was read of a document is kept by its text, so that only changed ones are parsed. */
export type DocumentCache = ReadonlyMap<string, ParsedManifests>

/** Reads YAML or JSON (which YAML 1.2 contains). Returns the cache for the next reading of the same file beside the result. */
export function parseManifests(
  text: string,
  cache: DocumentCache = new Map(),
): ParsedManifests & { readonly cache: DocumentCache } {
  const manifests: Manifest[] = []
  const problems: Omit<FileProblem, 'file'>[] = []
  const ignored: string[] = []
  const nextCache = new Map<string, ParsedManifests>()
  for (const { document, linesBefore } of splitDocuments(text)) {
    const parsed = cache.get(document) ?? nextCache.get(document) ?? parseDocuments(document)
    nextCache.set(document, parsed)
    for (const { object, line } of parsed.manifests) manifests.push({ object, line: line + linesBefore })
    for (const problem of parsed.problems) problems.push({ ...problem, line: problem.line + linesBefore })
    ignored.push(...parsed.ignored)
  }
  return { manifests: problems.length > 0 ? [] : manifests, problems, ignored, cache: nextCache }
}

/** Cuts at lines that begin with `---`, which no scalar may hold (YAML 1.2 section 9.1.2). Rarer markers leave the text whole. */
function splitDocuments(text: string): readonly { readonly document: string; readonly linesBefore: number }[] {
  if (/^(%|\.\.\.)/m.test(text)) return [{ document: text, linesBefore: 0 }]
  let linesBefore = 0
  return text.split(/^(?=---(?:\s|$))/m).map(document => {
    const part = { document, linesBefore }
    linesBefore += countLineBreaks(document)
    return part
  })
}

function countLineBreaks(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++
  return count
}

function parseDocuments(text: string): ParsedManifests {
  const lineCounter = new LineCounter()
  const position = (offset: number): Position => {
    const { line, col } = lineCounter.linePos(offset)
    return { line, column: col }
  }
  const documents = parseAllDocuments(text, { lineCounter, prettyErrors: false })
  const result: Collected = { manifests: [], problems: [], ignored: [] }
  for (const document of 'empty' in documents ? [] : documents) {
    const [error] = document.errors
    if (error !== undefined)
      result.problems.push({ ...position(error.pos[0]), message: `not valid YAML: ${error.message}` })
    else readDocument(document, position, result)
  }
  return result
}

interface Collected {
  readonly manifests: Manifest[]
  readonly problems: Omit<FileProblem, 'file'>[]
  readonly ignored: string[]
}

function readDocument(document: Document.Parsed, position: (offset: number) => Position, result: Collected): void {
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    result.problems.push({ ...position(document.range[0]), message: `not usable YAML: ${String(error)}` })
    return
  }
  if (value === null || value === undefined) return
  const place = (path: FieldPath): Position => position(offsetOf(document, path))
  const items = itemsOf(value)
  if (items === undefined) return readObject(value, [], place, result)
  for (const [index, item] of items.entries()) readObject(item, ['items', index], place, result)
}

/** What `kubectl get -o yaml` prints of several objects is one object of kind List. */
function itemsOf(value: unknown): readonly unknown[] | undefined {
  if (!isMapping(value)) return undefined
  const { kind, items } = value
  return typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items) ? items : undefined
}

function readObject(value: unknown, path: FieldPath, place: (path: FieldPath) => Position, result: Collected): void {
  const fault = (at: FieldPath, message: string): void => {
    result.problems.push({ ...place([...path, ...at]), message })
  }
  const plain = withoutNulls(value)
  if (!isMapping(plain))
    return fault([], 'not a Kubernetes object: must be a mapping with apiVersion, kind and metadata')
  const { apiVersion, kind } = plain
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    return fault([], 'not a Kubernetes object: apiVersion and kind must be there and be strings')
  }
  if (!isManifestKind(kind)) {
    result.ignored.push(`${apiVersion} ${kind}`)
    return
  }
  const row = manifestKinds[kind]
  if (row.apiVersion !== apiVersion) {
    // Kinds of the same name in other groups are somebody else's; older versions of ours are a mistake to hear of.
    if (groupOf(row.apiVersion) === groupOf(apiVersion) || apiVersion.startsWith('extensions/')) {
      return fault(['apiVersion'], `${kind} of apiVersion ${apiVersion} is not read; use ${row.apiVersion}`)
    }
    result.ignored.push(`${apiVersion} ${kind}`)
    return
  }
  const misfit = findMisfit(plain, row.shape)
  if (misfit !== undefined)
    return fault(
      misfit.path,
      `${kind} is not valid: ${formatFieldPath(misfit.path)} ${misfit.message}`.replace('  ', ' '),
    )
  result.manifests.push({
    object: complete(plain as unknown as ManifestObject, row.namespaced),
    line: place(path).line,
  })
}

function isManifestKind(kind: string): kind is ManifestObject['kind'] {
  return Object.hasOwn(manifestKinds, kind)
}

function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
}

/** What an API server does on arrival: the namespace where none is named, and the plain values of Secrets in base64. */
function complete(object: ManifestObject, namespaced: boolean): ManifestObject {
  const { namespace: written, ...rest } = object.metadata
  const metadata = namespaced ? { ...rest, namespace: written ?? 'default' } : rest
  if (object.kind !== 'Secret' || object.stringData === undefined) return { ...object, metadata }
  const { stringData, ...secret } = object
  const folded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')] as const)
  return { ...secret, metadata, data: { ...secret.data, ...Object.fromEntries(folded) } }
}

/** An empty field in YAML is null; to an API server it is absent. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (!isMapping(value)) return value
  const present = Object.entries(value).filter(([, item]) => item !== null && item !== undefined)
  return Object.fromEntries(present.map(([key, item]) => [key, withoutNulls(item)]))
}

/** Where a field begins; of an absent one, where the nearest thing around it does. */
function offsetOf(document: Document.Parsed, path: FieldPath): number {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true)
    const range = isMapping(node) ? node['range'] : undefined
    if (Array.isArray(range) && typeof range[0] === 'number') return range[0]
  }
  return document.contents?.range[0] ?? document.range[0]
}
