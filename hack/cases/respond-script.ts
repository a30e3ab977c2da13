import { toOctets } from './octets.ts'

export type Step = { readonly send: Buffer } | { readonly act: 'close' | 'half-close' | 'reset' | 'stall' }

const actions: Readonly<Record<string, 'close' | 'half-close' | 'reset' | 'stall'>> = {
  CLOSE: 'close',
  FIN: 'half-close',
  RST: 'reset',
  STALL: 'stall',
}

/** What the upstream does in a response case, read from `upstream_sends`: bytes with markers in between. */
export class RespondScript {
  readonly steps: readonly Step[]
  /** Nothing listens. */
  readonly refused: boolean
  /** Bytes that arrive on the idle connection before the request. */
  readonly unsolicited: Buffer | undefined
  /** The connection is reset when a second request arrives on it. */
  readonly resetOnReuse: boolean
  /** The connection is reset when the head of the request has arrived. */
  readonly resetAfterHead: boolean

  constructor(written: string) {
    const steps: Step[] = []
    const flags = new Set<string>()
    for (const piece of written.split(/(<[A-Z_]+>)/)) {
      const marker = /^<([A-Z_]+)>$/.exec(piece)?.[1]
      const act = marker === undefined ? undefined : actions[marker]
      if (act !== undefined) steps.push({ act })
      else if (marker !== undefined) flags.add(known(marker))
      else if (piece !== '') steps.push({ send: toOctets(piece) })
    }
    const isUnsolicited = flags.has('BEFORE_REQUEST')
    this.refused = flags.has('REFUSED')
    this.resetOnReuse = flags.has('RST_ON_REUSE')
    this.resetAfterHead = flags.has('RST_AFTER_HEAD_SENT')
    this.unsolicited = isUnsolicited
      ? Buffer.concat(steps.flatMap(step => ('send' in step ? [step.send] : [])))
      : undefined
    this.steps = isUnsolicited ? [] : steps
  }

  /** Needs a connection that the proxy keeps idle. */
  get needsIdleConnection(): boolean {
    return this.unsolicited !== undefined || this.resetOnReuse
  }

  /** Nothing more comes: only a timeout of the proxy ends it. */
  get stalls(): boolean {
    return this.steps.some(step => 'act' in step && step.act === 'stall')
  }
}

const flagNames: readonly string[] = ['REFUSED', 'BEFORE_REQUEST', 'RST_ON_REUSE', 'RST_AFTER_HEAD_SENT']

function known(marker: string): string {
  if (flagNames.includes(marker)) return marker
  const all = [...Object.keys(actions), ...flagNames].join(', ')
  throw new Error(`marker <${marker}> in upstream_sends; known: ${all}`)
}
