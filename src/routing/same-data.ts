/** Structural equality of plain data (objects, arrays, primitives); a property set to undefined counts as absent. */
export function sameData(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  if (Array.isArray(one) || Array.isArray(other)) {
    return (
      Array.isArray(one) &&
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((item, index) => sameData(item, other[index]))
    )
  }
  return sameProperties(one as Record<string, unknown>, other as Record<string, unknown>)
}

function sameProperties(one: Record<string, unknown>, other: Record<string, unknown>): boolean {
  for (const key of Object.keys(one)) {
    if (!sameData(one[key], Object.hasOwn(other, key) ? other[key] : undefined)) return false
  }
  return Object.keys(other).every(key => other[key] === undefined || Object.hasOwn(one, key))
}
