import { type Message, valuesOf } from './message.ts'
import { showOctets } from './octets.ts'

export interface FieldExpectation {
  /** The field occurs once with this value. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** The field occurs with these values, in this order. */
  readonly headers_all?: Readonly<Record<string, readonly string[]>> | undefined
  readonly present?: readonly string[] | undefined
  readonly absent?: readonly string[] | undefined
}

/** Where the fields of a message differ from what is expected. */
export function fieldMismatches(expected: FieldExpectation, message: Message): readonly string[] {
  const exact = Object.entries(expected.headers ?? {}).map(([name, value]) => [name, [value]] as const)
  const found: string[] = []
  for (const [name, wanted] of [...exact, ...Object.entries(expected.headers_all ?? {})]) {
    const came = valuesOf(message, name)
    const same = came.length === wanted.length && came.every((value, index) => value === wanted[index])
    if (!same) found.push(`field ${name}: ${show(came)}, not ${show(wanted)}`)
  }
  for (const name of expected.present ?? []) if (valuesOf(message, name).length === 0) found.push(`no field ${name}`)
  for (const name of expected.absent ?? []) {
    const came = valuesOf(message, name)
    if (came.length > 0) found.push(`field ${name}: ${show(came)}, which should be absent`)
  }
  return found
}

function show(values: readonly string[]): string {
  return values.length === 0 ? 'absent' : values.map(showOctets).join(', ')
}
