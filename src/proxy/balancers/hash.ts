/** 32-bit hashes that are equal in every process; they are no secret and protect nothing. */

const offsetBasis = 0x811c9dc5
const prime = 0x01000193

export const emptyHash = offsetBasis

/** Takes more text in (FNV-1a); `mix` at the end. */
export function addToHash(hash: number, text: string): number {
  let result = hash
  for (let index = 0; index < text.length; index++) result = Math.imul(result ^ text.charCodeAt(index), prime)
  return result
}

/** Spreads every bit over all the others, from 0 to below 2^32. */
export function mix(hash: number): number {
  let result = hash
  result = Math.imul(result ^ (result >>> 16), 0x85ebca6b)
  result = Math.imul(result ^ (result >>> 13), 0xc2b2ae35)
  return (result ^ (result >>> 16)) >>> 0
}
