#!/usr/bin/env node
/**
 * First file of the program. It uses only syntax and modules that Node 18 has, and imports the rest after it has
 * looked at the version: a Node that is too old would otherwise end in a stack trace of some dependency.
 */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const oldestMajor = 24

if (Number.parseInt(process.versions.node, 10) >= oldestMajor) {
  const { main } = await import('./main.ts')
  await main(process.argv)
} else {
  const node = pinnedNode(dirname(dirname(fileURLToPath(import.meta.url))))
  if (node === undefined) {
    process.stderr.write(
      `ingress-fleet needs Node ${oldestMajor} or newer, this is Node ${process.versions.node}. ` +
        'Run `npm ci` in its folder, which brings one, or install a newer Node.\n',
    )
    process.exitCode = 1
  } else runWith(node)
}

/** Node as npm's package `node-<os>-<arch>` brings it, in the node_modules beside the bundle's folder. */
function pinnedNode(root: string): string | undefined {
  const modules = join(root, 'node_modules')
  if (!existsSync(modules)) return undefined
  return readdirSync(modules)
    .filter(name => name.startsWith('node-') && name.endsWith(`${process.platform}-${process.arch}`))
    .map(name => join(modules, name, 'bin', 'node'))
    .find(file => existsSync(file))
}

/** Runs the same command line with another Node, as if it were this process. */
function runWith(node: string): void {
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' })
  // A terminal sends Ctrl-C to the whole foreground group: the child has it already, and a second one means "at once".
  const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !hasTerminal) child.kill(signal)
    })
  }
  child.on('error', error => {
    process.stderr.write(`cannot start ${node}: ${error.message}\n`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal])
  })
}
