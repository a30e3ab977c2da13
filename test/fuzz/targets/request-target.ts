import { TARGET } from '../../../src/http1/octets.ts'
import { resolveTarget } from '../../../src/http1/request-target.ts'
import { requestCases, sentBy } from '../../http1/wire-cases.ts'
import { type FuzzTarget, must, mustEqual } from '../fuzz-target.ts'

/** What a request line asks for. */
export const requestTarget: FuzzTarget = {
  name: 'request-target',
  dictionary: [
    '/',
    '//',
    '/../',
    '/./',
    '..',
    '%2e',
    '%2E',
    '%2f',
    '%5C',
    '%00',
    '%25',
    '%',
    '?',
    'http://',
    'https://',
    'a.test',
    ':80',
    '@',
    '*',
    ';',
    '[::1]',
  ],
  seeds: () => requestCases.map(one => sentBy(one).toString('latin1', 0, 400).split(' ')[1] ?? '/'),
  check(octets) {
    // The request line lets no other octets through.
    const raw = Buffer.from(octets.filter(octet => TARGET[octet] === 1)).toString('latin1')
    return ['GET', 'OPTIONS'].map(method => (raw === '' ? '' : checkTarget(raw, method))).join(' ')
  },
}

function checkTarget(raw: string, method: string): string {
  const resolved = resolveTarget(raw, method)
  if (resolved === undefined) return 'refused'
  const { target, path } = resolved
  if (target === '*') {
    must(method === 'OPTIONS' && path === '*', 'an asterisk for another method')
    return 'asterisk'
  }
  must(target.startsWith('/') && path.startsWith('/'), `${target} does not begin with a slash`)
  const again = { target, path, scheme: undefined, authority: undefined, host: undefined }
  mustEqual(resolveTarget(target, method), again, 'resolved again')
  mustEqual(resolveTarget(path, method)?.path, path, 'the path resolved again')
  const decoded = path.replaceAll(/%2f|%5c/gi, '/').replaceAll(/%2e/gi, '.')
  must(!/(?:^|\/)\.\.?(?:\/|$)/.test(decoded) || !path.includes('%'), `${path} hides dot segments`)
  must(!/(?:^|\/)\.\.?(?:\/|$)/.test(path), `${path} has dot segments`)
  must(!/%(?![0-9A-F]{2})|%00/.test(path), `${path} has escapes that are not in normal form`)
  must(
    target.split('?', 1)[0]?.length === path.length || path.includes('%') || raw.includes('%'),
    'another path is matched',
  )
  checkAgainstUrl(target, path)
  return `${resolved.host === undefined} ${raw === target} ${target.startsWith(path)}`
}

/** The parser of URLs that browsers and many back ends have resolves the same dot segments. */
function checkAgainstUrl(target: string, path: string): void {
  const url = new URL(`http://a.test${target}`)
  const theirs = resolveTarget(url.pathname, 'GET')?.path
  // It escapes more octets than must be.
  const ours = path.replaceAll(/["<>^`{|}]/g, octet => `%${octet.charCodeAt(0).toString(16).toUpperCase()}`)
  const escaped = theirs?.replaceAll(/["<>^`{|}]/g, octet => `%${octet.charCodeAt(0).toString(16).toUpperCase()}`)
  mustEqual(escaped, ours, 'the path as a URL')
}
