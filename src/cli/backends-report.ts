import { stringify } from 'yaml'
import type { HeldBackend } from '../proxy/worker-protocol.ts'

export const outputFormats = ['table', 'wide', 'json', 'yaml', 'name'] as const
export type OutputFormat = (typeof outputFormats)[number]

/** What one pod holds. */
export interface PodBackends {
  readonly pod: string
  readonly backends: readonly HeldBackend[]
}

/**
 * The answers of an instance's pods as text. `json` and `yaml` give a list of `{pod, backends}`, or the backends alone
 * with `onePod`; the tables say once what all pods agree on.
 */
export function formatBackends(answers: readonly PodBackends[], format: OutputFormat, onePod: boolean): string {
  const document = onePod ? (answers[0]?.backends ?? []) : answers
  const formats: Readonly<Record<OutputFormat, () => string>> = {
    table: () => formatTable(['BACKEND', 'ENDPOINTS', 'PODS'], mergedRows(answers)),
    wide: () => formatTable(['POD', 'BACKEND', 'SERVICE', 'PORT', 'BALANCING', 'ENDPOINTS'], answers.flatMap(wideRows)),
    json: () => `${JSON.stringify(document, undefined, 2)}\n`,
    yaml: () => stringify(document, { lineWidth: 0, aliasDuplicateObjects: false }),
    name: () => [...new Set(answers.flatMap(({ backends }) => backends.map(({ name }) => `${name}\n`)))].join(''),
  }
  return formats[format]()
}

function wideRows({ pod, backends }: PodBackends): readonly (readonly string[])[] {
  return backends.map(backend => {
    const { namespace, name } = backend.service?.metadata ?? {}
    const service = namespace === undefined ? '-' : `${namespace}/${name}`
    return [pod, backend.name, service, backend.port, balancingOf(backend), endpointsOf(backend)]
  })
}

/** One row a backend and set of endpoints: pods that differ, as while a change is on its way, are seen at once. */
function mergedRows(answers: readonly PodBackends[]): readonly (readonly string[])[] {
  const pods = new Map<string, number>()
  for (const backend of answers.flatMap(({ backends }) => backends)) {
    const row = JSON.stringify([backend.name, endpointsOf(backend)])
    pods.set(row, (pods.get(row) ?? 0) + 1)
  }
  return [...pods]
    .map(([row, count]) => [...(JSON.parse(row) as string[]), `${count}/${answers.length}`])
    .sort(([one = ''], [other = '']) => (one < other ? -1 : one > other ? 1 : 0))
}

/** The algorithm, and before it what wins over it. */
function balancingOf(backend: HeldBackend): string {
  const { sessionAffinityConfig: affinity, upstreamHashByConfig: hash } = backend
  const session = affinity.name === '' ? [] : [`${affinity.name} ${affinity.cookieSessionAffinity.name}`]
  const hashBy = hash['upstream-hash-by'] === undefined ? [] : [`hash ${hash['upstream-hash-by']}`]
  return [...session, ...hashBy, backend['load-balance']].join(', ')
}

function endpointsOf({ endpoints }: HeldBackend): string {
  if (endpoints.length === 0) return '-'
  return endpoints
    .map(({ address, port }) => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`))
    .join(',')
}

function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...lines.map(line => (line[column] ?? '').length)))
  return lines
    .map(
      line =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('   ')
          .trimEnd()}\n`,
    )
    .join('')
}
