import { InvalidArgumentError } from 'commander'

export type BindAddress = { readonly address: string; readonly port: number } | 'nowhere'

/** Readers of option values for commander: what they throw ends in wrong usage, with what is allowed. */

export function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(port <= 65_535)) throw new InvalidArgumentError('It must be a port from 0 to 65535; 0 takes a free one.')
  return port
}

export function workerCount(text: string): number {
  const count = /^\d{1,2}$/.test(text) ? Number(text) : 0
  if (count < 1 || count > 64) throw new InvalidArgumentError('It must be a number from 1 to 64.')
  return count
}

export function secondCount(text: string): number {
  const seconds = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN
  if (!(seconds <= 3_600)) throw new InvalidArgumentError('It must be a number of seconds from 0 to 3600.')
  return seconds
}

export function namespacedName(text: string): { readonly namespace: string; readonly name: string } {
  const [namespace = '', name = '', ...more] = text.split('/')
  if (namespace === '' || name === '' || more.length > 0) throw new InvalidArgumentError('It must be NAMESPACE/NAME.')
  return { namespace, name }
}

export function trueOrFalse(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new InvalidArgumentError('It must be true or false.')
  return text === 'true'
}

/** `:8081`, `0.0.0.0:8081` or `[::1]:8081`; without an address it is all of them. `0` is nowhere. */
export function bindAddress(text: string): BindAddress {
  if (text === '0') return 'nowhere'
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text)
  if (match === null || Number(match[3]) > 65_535) {
    throw new InvalidArgumentError('It must be ADDRESS:PORT, :PORT as in :8081, or 0.')
  }
  return { address: match[1] ?? (match[2] || '::'), port: Number(match[3]) }
}
