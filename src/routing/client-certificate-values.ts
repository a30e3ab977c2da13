import type { ClientCertificateRule, CommonNames } from './model.ts'

/** How the texts of the `auth-tls-*` annotations are read; undefined is a text that is not allowed. */

export const secretNameAllowed = 'namespace and name of a Secret, as in "shop/client-authorities"'

export function readSecretName(text: string): { readonly namespace: string; readonly name: string } | undefined {
  const [, namespace, name] = /^([a-z0-9-]{1,63})\/([a-z0-9.-]{1,253})$/.exec(text) ?? []
  return namespace === undefined || name === undefined ? undefined : { namespace, name }
}

const verifyModes = ['on', 'off', 'optional', 'optional_no_ca'] as const

export const verifyClientAllowed = '"on", "off", "optional" or "optional_no_ca"'

export function readVerifyClient(text: string): ClientCertificateRule['verify'] | 'off' | undefined {
  return verifyModes.find(mode => mode === text)
}

export const depthAllowed = 'a whole number from 0 to 10'

export function readDepth(text: string): number | undefined {
  return /^(\d|10)$/.test(text) ? Number(text) : undefined
}

export const commonNamesAllowed =
  '"CN=" and a name, or several in parentheses, of letters, digits, spaces and _ - . @, as in "CN=alice" or "CN=(alice|robot-.*)"; ".*" at the end stands for any rest, no other regular expression is read'

/** The name, or alternatives, of `CN=…`. A regular expression of a tenant is never run: only these forms are read. */
export function readCommonNames(text: string): CommonNames | undefined {
  const inner = /^\^?CN=(?:\(([^()]+)\)|([^()]+))$/.exec(text.replace(/\$$/, ''))
  if (inner === null) return undefined
  const exact: string[] = []
  const prefixes: string[] = []
  for (const written of (inner[1] ?? inner[2] ?? '').split('|')) {
    const name = written.endsWith('.*') ? written.slice(0, -2) : written
    const plain = name.replaceAll('\\.', '.')
    if (!/^[\w .@-]*$/.test(plain) || (plain === '' && name === written)) return undefined
    if (name === written) exact.push(plain)
    else prefixes.push(plain)
  }
  // Alternatives outside of parentheses would be read otherwise in nginx: `CN=a|b` is `b` anywhere.
  return inner[1] === undefined && exact.length + prefixes.length > 1 ? undefined : { exact, prefixes }
}
