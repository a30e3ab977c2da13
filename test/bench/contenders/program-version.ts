import { spawnSync } from 'node:child_process'

/** What a program says of its version; undefined when it is not on the PATH. */
export function programVersion(command: readonly string[], pattern: RegExp): string | undefined {
  const [program = '', ...args] = command
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', env: withSystemPrograms() })
  if (error !== undefined || (status !== 0 && program !== 'wrk')) return undefined
  return pattern.exec(`${stdout}${stderr}`)?.[1]
}

/** Debian installs servers into folders that are on the PATH of root only. */
export function withSystemPrograms(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin` }
}
