/** Text of a case file as bytes: macros replaced, then one byte for each code point (latin-1). */
export function toOctets(written: string): Buffer {
  return Buffer.from(expandMacros(written), 'latin1')
}

/** `{{rep:TEXT:N}}` is TEXT repeated N times; `\r` and `\n` inside TEXT, as a backslash and a letter, are CR and LF. */
function expandMacros(written: string): string {
  return written.replaceAll(/\{\{rep:(.*?):(\d+)\}\}/gs, (_all, text: string, times: string) =>
    text.replaceAll('\\r', '\r').replaceAll('\\n', '\n').repeat(Number(times)),
  )
}

const longestShown = 160

/** Bytes as one readable line: control characters escaped, the middle of long ones left out. */
export function showOctets(octets: Buffer | string): string {
  const text = typeof octets === 'string' ? octets : octets.toString('latin1')
  const shown =
    text.length <= longestShown ? text : `${text.slice(0, 110)}…(${text.length - 150} more)…${text.slice(-40)}`
  const escaped = shown
    .replaceAll('\\', '\\\\')
    .replaceAll('\r', '\\r')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replaceAll(/[\x00-\x1f\x7f-\xff]/g, byte => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`)
  return `"${escaped}"`
}
