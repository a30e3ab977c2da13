import { isIPv6 } from 'node:net'
import { hostOfAuthority } from '../../../src/http1/authority.ts'
import { requestCases, sentBy } from '../../http1/wire-cases.ts'
import { type FuzzTarget, must, mustEqual } from '../fuzz-target.ts'

/** What a Host field or an absolute-form target names. */
export const authority: FuzzTarget = {
  name: 'authority',
  dictionary: [
    'a.test',
    'A.TEST',
    '.',
    ':80',
    ':',
    '[::1]',
    '[::ffff:1.2.3.4]',
    '[',
    ']',
    '::',
    '@',
    '%2e',
    ',',
    '65535',
    '65536',
    '0',
    '*',
  ],
  seeds: () =>
    requestCases.flatMap(one => /\r\nhost:[ \t]*([^\r\n]{0,300})/i.exec(sentBy(one).toString('latin1'))?.[1] ?? []),
  check(octets) {
    const text = octets.toString('latin1')
    const host = hostOfAuthority(text)
    checkLiteral(text, host)
    if (host === undefined) return 'refused'
    must(host !== '' && host.length <= 255 && host === host.toLowerCase(), `host ${host}`)
    must(!/[^\x21-\x7e]|[@/?#\\\s]/.test(host), `host ${JSON.stringify(host)} holds what ends one`)
    // One trailing dot is taken off, so that of two one stays.
    if (!host.endsWith('.')) mustEqual(hostOfAuthority(host), host, 'the host of a host')
    mustEqual(hostOfAuthority(text.toUpperCase()), host, 'in upper case')
    if (!text.includes(':')) mustEqual(hostOfAuthority(`${text}:8080`), host, 'with a port')
    checkAgainstUrl(text, host)
    return `${host === text} ${host.startsWith('[')} ${text.length - host.length}`
  },
}

function checkLiteral(text: string, host: string | undefined): void {
  const literal = /^\[([^\]%]*)\]$/.exec(text)?.[1]
  if (literal !== undefined) mustEqual(host !== undefined, isIPv6(literal), `[${literal}] is an IPv6 address`)
}

/** A name that the parser of URLs takes is the same name to it, but for what it decodes and numbers. */
function checkAgainstUrl(text: string, host: string): void {
  if (!/^[a-z0-9.-]*[a-z]$/.test(host) || !URL.canParse(`http://${text}/`)) return
  if (host.split('.').some(label => label.startsWith('xn--') || /^0x[0-9a-f]*$/.test(label))) return
  const theirs = new URL(`http://${text}/`).hostname
  mustEqual(theirs.replace(/\.$/, ''), host, 'the host of a URL')
}
