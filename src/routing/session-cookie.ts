/** Texts of the annotations about sticky sessions; undefined is a text that is not allowed. */

export const cookieNameAllowed = 'a name of letters, digits and !#$%&\'*+-.^_`|~, as in "SESSION", at most 128 of them'

/** A token of RFC 9110 section 5.6.2, as RFC 6265 section 4.1.1 asks. */
export function readCookieName(text: string): string | undefined {
  return /^[\w!#$%&'*+.^`|~-]{1,128}$/.test(text) ? text : undefined
}

export const cookiePathAllowed = 'a path that begins with "/", without ";" and control characters, as in "/app"'

export function readCookiePath(text: string): string | undefined {
  return isCookiePath(text) ? text : undefined
}

/** May it stand in a Path attribute (RFC 6265 section 4.1.1)? */
export function isCookiePath(path: string): boolean {
  return /^\/[\x20-\x3a\x3c-\x7e]{0,1023}$/.test(path)
}

export const cookieDomainAllowed = 'a domain name, as in "example.com"'

export function readCookieDomain(text: string): string | undefined {
  return /^\.?[A-Za-z0-9]([A-Za-z0-9.-]{0,252})$/.test(text) ? text : undefined
}

export const cookieSecondsAllowed = 'a whole number of seconds, as in "172800"'

/** Whole seconds; 0 and less end the cookie at once. */
export function readCookieSeconds(text: string): number | undefined {
  return /^-?\d{1,10}$/.test(text) ? Number(text) : undefined
}
