import type { Command } from 'commander'
import { adminSocket } from '../../api/names.ts'
import { askAdminSocket } from '../admin-socket.ts'
import { CommandError } from '../command-error.ts'
import type { CommandContext } from '../commands.ts'

interface Named {
  readonly name: string
}

/** The sub-commands that kubectl-ingress-nginx runs in a pod by the name /dbg, so that it works with our pods too. */
export function define(command: Command, { print }: CommandContext): void {
  command.option('--socket <path>', 'socket of the proxy', adminSocket)
  const ask = (path: string): Promise<string> => askAdminSocket(command.opts<{ socket: string }>().socket, path)

  const backends = command.command('backends').description('backends that the proxy holds')
  backends
    .command('all')
    .description('all of them, as JSON')
    .action(async () => print(await ask('/backends')))
  backends
    .command('list')
    .description('their names')
    .action(async () => {
      for (const { name } of JSON.parse(await ask('/backends')) as Named[]) print(`${name}\n`)
    })
  backends
    .command('get <name>')
    .description('one of them, as JSON')
    .action(async (name: string) => {
      const all = JSON.parse(await ask('/backends')) as Named[]
      const found = all.find(one => one.name === name)
      if (found === undefined)
        throw new CommandError(`there is no backend ${name}; \`dbg backends list\` names those there are`)
      print(`${JSON.stringify(found, undefined, 2)}\n`)
    })
  command
    .command('general')
    .description('instance and revision, as JSON')
    .action(async () => print(await ask('/general')))
  command
    .command('certs')
    .description('certificates that the proxy holds')
    .command('get <host>')
    .description('facts of the certificate for a host, without its key')
    .action(async (host: string) => print(await ask(`/certs?host=${encodeURIComponent(host)}`)))
}
