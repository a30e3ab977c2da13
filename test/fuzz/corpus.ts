import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Inputs of one fuzz target, one a line: a JSON string, each character of which is one octet. `corpus` holds what
 * reached something new, `found` what broke a property once; every test run replays both.
 */
export function corpusFile(kind: 'corpus' | 'found', target: string): string {
  return join(import.meta.dirname, kind, `${target}.txt`)
}

export function readInputs(file: string): readonly Buffer[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter(line => line !== '').map(line => Buffer.from(JSON.parse(line) as string, 'latin1'))
}

/** In a fixed order, so that a run changes no line that need not change. */
export function writeInputs(file: string, inputs: readonly Buffer[]): void {
  mkdirSync(dirname(file), { recursive: true })
  const lines = new Set(
    inputs.map(octets => JSON.stringify(octets.toString('latin1')).replaceAll(/[\x7f-\xff]/g, escaped)),
  )
  writeFileSync(file, `${[...lines].sort().join('\n')}\n`)
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
