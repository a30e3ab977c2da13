import { parseConnection, withoutNominated } from '../../../src/http1/connection-options.ts'
import { type FuzzTarget, must, mustEqual } from '../fuzz-target.ts'

/** The value of a Connection field, with the lines of a head of which some may be named. */
export const connectionOptions: FuzzTarget = {
  name: 'connection-options',
  dictionary: [
    'close',
    'keep-alive',
    'Keep-Alive',
    'upgrade',
    'Upgrade',
    ',',
    ', ',
    'X-A',
    'x-a',
    'X-B',
    '\t',
    '"',
    'Cookie',
    'Date',
    ' close ',
    ':',
  ],
  seeds: () => ['', 'close', 'keep-alive, X-A', 'upgrade,,x-b ,\tClose', 'a b, c;d, "close"'],
  check(octets) {
    const value = octets.toString('latin1').replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '')
    const options = parseConnection(value)
    const members = value.split(',').map(member => member.replaceAll(/^[ \t]+|[ \t]+$/g, '').toLowerCase())
    mustEqual(
      [options.close, options.keepAlive, options.upgrade],
      ['close', 'keep-alive', 'upgrade'].map(option => members.includes(option)),
      'options',
    )
    const named = members.filter(
      member => /^[!#$%&'*+.^_`|~\w-]+$/.test(member) && !['close', 'keep-alive', 'upgrade'].includes(member),
    )
    mustEqual([...(options.nominated ?? [])].sort(), [...new Set(named)].sort(), 'names')
    if (options.nominated !== undefined) checkLines(named, options.nominated)
    return `${options.close} ${options.keepAlive} ${options.upgrade} ${Math.min(named.length, 3)}`
  },
}

function checkLines(named: readonly string[], nominated: ReadonlySet<string>): void {
  const names = [...named.slice(0, 20), ...named.slice(0, 20).map(name => name.toUpperCase()), 'x-kept', `${named[0]}x`]
  const lines = names.map((name, index) => `${name}: ${index}: ${names[0]}\r\n`)
  const kept = lines.filter((_, index) => !named.includes((names[index] ?? '').toLowerCase()))
  mustEqual(withoutNominated(lines.join(''), nominated), kept.join(''), 'lines that stay')
  must(kept.length > 0, 'a line that nobody named stays')
}
