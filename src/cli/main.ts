import { basename } from 'node:path'
import { Command, CommanderError, type OutputConfiguration } from 'commander'
import { type CommandContext, commands } from './commands.ts'
import { readEnvironment } from './environment.ts'
import { version } from './version.ts'

const exitCodes = { done: 0, failed: 1, wrongUsage: 2 } as const

/** Names under which the program is one of its commands: as a plugin of kubectl, and in the image as ingress-nginx has it. */
const commandOfProgramName: Readonly<Record<string, string>> = { 'kubectl-igd': 'igd', dbg: 'dbg' }

/** Runs one command line as in `process.argv` and sets the exit code: 0 done, 1 failed, 2 wrong usage. */
export async function main(argv: readonly string[]): Promise<void> {
  const context: CommandContext = {
    environment: readEnvironment(),
    print: text => process.stdout.write(text),
    printError: text => process.stderr.write(text),
  }
  ignoreClosedPipe()
  try {
    process.exitCode = await run(argv, context)
  } catch (error) {
    context.printError(`error: ${describe(error)}\n`)
    process.exitCode = exitCodes.failed
  }
}

async function run(argv: readonly string[], context: CommandContext): Promise<number> {
  const asCommand = commandOfProgramName[basename(argv[1] ?? '').replace(/\.js$/, '')]
  const words = argv.slice(2)
  const program =
    asCommand === undefined
      ? await wholeProgram(words[0], context)
      : await singleCommand(asCommand, asCommand === 'igd' ? 'kubectl igd' : asCommand, context)
  try {
    await program.parseAsync(words, { from: 'user' })
    return exitCodes.done
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUsage
  }
}

/** Every command by name and summary; only the one asked for has its options loaded. */
async function wholeProgram(asked: string | undefined, context: CommandContext): Promise<Command> {
  const program = configured(new Command('ingress-fleet'), context)
  program.description('An operator for fleets of endpoint-aware ingress proxies, and the proxy itself.')
  program.version(version, '-V, --version', 'print the version').helpCommand('help [command]', 'explain a command')
  program.action((_options, command: Command) => {
    const [stray] = command.args
    const allowed = commands.flatMap(row => ('hidden' in row ? [] : [row.name])).join(', ')
    command.error(
      stray === undefined
        ? `error: a command is missing; allowed: ${allowed}`
        : `error: unknown command '${stray}'; allowed: ${allowed}`,
    )
  })
  program.allowExcessArguments()
  for (const row of commands) {
    const sub = configured(program.command(row.name, { hidden: 'hidden' in row }).description(row.summary), context)
    if (row.name === asked || asked === 'help') (await row.load()).define(sub, context)
  }
  program
    .command('version')
    .description('print the version')
    .action(() => context.print(`${version}\n`))
  return program
}

async function singleCommand(name: string, shownName: string, context: CommandContext): Promise<Command> {
  const row = commands.find(one => one.name === name)
  const command = configured(new Command(shownName), context)
  if (row !== undefined) {
    command.description(row.summary)
    ;(await row.load()).define(command, context)
  }
  command.version(version, '-V, --version', 'print the version')
  return command
}

function configured(command: Command, context: CommandContext): Command {
  const output: OutputConfiguration = { writeOut: context.print, writeErr: context.printError }
  return command.exitOverride().configureOutput(output).showHelpAfterError(true).helpOption('-h, --help', 'print this')
}

/** A stack is for who mends the program: only mistakes that the language itself found have one. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const isMistake = [TypeError, RangeError, ReferenceError, SyntaxError].some(kind => error.constructor === kind)
  return isMistake ? (error.stack ?? error.message) : error.message
}

/** `ingress-fleet … | head` ends quietly when the reader has seen enough. */
function ignoreClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(exitCodes.done)
  })
}
