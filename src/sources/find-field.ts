import { isMap, isNode, isSeq, LineCounter, parseAllDocuments } from 'yaml'

export interface TextPosition {
  readonly line: number
  readonly column: number
}

/**
 * Where a field of an object is in its text; of an absent one, where the nearest thing around it is. `line` is where
 * the object begins, `field` as in `spec.rules[0].host`.
 */
export function findField(text: string, line: number, field: string): TextPosition {
  const lineCounter = new LineCounter()
  const documents = parseAllDocuments(text, { lineCounter, prettyErrors: false })
  let position: TextPosition = { line, column: 1 }
  for (const document of 'empty' in documents ? [] : documents) {
    for (const root of [document.contents, ...itemsOf(document.contents)]) {
      if (!isNode(root) || lineCounter.linePos(root.range?.[0] ?? 0).line !== line) continue
      const { line: at, col } = lineCounter.linePos(offsetOf(root, partsOf(field)))
      position = { line: at, column: col }
    }
  }
  return position
}

function itemsOf(node: unknown): readonly unknown[] {
  const items = isMap(node) ? node.get('items', true) : undefined
  return isSeq(items) ? items.items : []
}

function partsOf(field: string): readonly (string | number)[] {
  return [...field.matchAll(/\[(\d+)\]|\[([^\]]+)\]|([^.[\]]+)/g)].map(([, index, key, name]) =>
    index === undefined ? (key ?? name ?? '') : Number(index),
  )
}

function offsetOf(root: unknown, parts: readonly (string | number)[]): number {
  let node = root
  let offset = isNode(root) ? (root.range?.[0] ?? 0) : 0
  for (const part of parts) {
    const pair = isMap(node) ? node.items.find(({ key }) => String(key) === String(part)) : undefined
    node = pair === undefined ? (isSeq(node) ? node.items[Number(part)] : undefined) : pair.value
    const place = pair?.key ?? node
    if (!isNode(place)) break
    offset = place.range?.[0] ?? offset
  }
  return offset
}
