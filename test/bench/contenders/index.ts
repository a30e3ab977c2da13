import { caddy } from './caddy.ts'
import type { Contender, ContenderName } from './contender.ts'
import { haproxy } from './haproxy.ts'
import { nginx } from './nginx.ts'
import { ours } from './ours.ts'

/** One row per contender; ours is compared with each of the others. */
export const contenders = { ours, nginx, haproxy, caddy } as const satisfies Record<ContenderName, Contender>

export const contenderNames = Object.keys(contenders) as readonly ContenderName[]
