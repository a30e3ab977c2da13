import type { Command } from 'commander'
import type { Environment } from './environment.ts'

/** What a command is given beside its options. */
export interface CommandContext {
  readonly environment: Environment
  /** Text for people. */
  readonly print: (text: string) => void
  /** Text for people about what is wrong. */
  readonly printError: (text: string) => void
}

/** A file of `commands/`: adds options and the action to the command line. */
interface CommandModule {
  readonly define: (command: Command, context: CommandContext) => void
}

interface CommandRow {
  readonly name: string
  readonly summary: string
  /** Not in the list of `help`: it is run by other programs. */
  readonly hidden?: true
  readonly load: () => Promise<CommandModule>
}

/** One row a command. Only the one that runs is loaded, so that a proxy never holds the operator's code in memory. */
export const commands = [
  {
    name: 'operator',
    summary: 'run the operator on a cluster',
    load: () => import('./commands/operator.ts'),
  },
  {
    name: 'proxy',
    summary: 'run a proxy in a pod of an IngressDeployment',
    load: () => import('./commands/proxy.ts'),
  },
  {
    name: 'serve',
    summary: 'run the proxy on a folder of YAML, without a cluster',
    load: () => import('./commands/serve.ts'),
  },
  {
    name: 'plan',
    summary: 'print the objects that an IngressDeployment becomes',
    load: () => import('./commands/plan.ts'),
  },
  {
    name: 'igd',
    summary: 'look into the proxies of an IngressDeployment (also as kubectl igd)',
    load: () => import('./commands/igd.ts'),
  },
  {
    name: 'dbg',
    summary: "print what this pod's proxy holds in memory",
    hidden: true,
    load: () => import('./commands/dbg.ts'),
  },
] as const satisfies readonly CommandRow[]
