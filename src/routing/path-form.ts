/**
 * A path of an Ingress in the form that paths of requests have: what a request cannot hold is escaped, and escapes are
 * in normal form (RFC 3986 section 6.2.2), so letters, digits and `-._~` as they are and others in upper case.
 */
export function asRequestPath(path: string): string {
  return path
    .toWellFormed()
    .replace(/[^\x21-\x7e]+|[#\\]/g, encodeURIComponent)
    .replace(/%[0-9a-f]{2}/gi, escape => {
      const octet = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
      return /[\w.~-]/.test(octet) ? octet : escape.toUpperCase()
    })
}
