import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, relative } from 'node:path'

/** What the kernel lets this process have. */
export interface GrantedResources {
  /** Processors that its threads may run on: affinity, which a cpuset narrows. */
  readonly processors: number
  /** CPU time per second of wall time, by the tightest quota above it; undefined without one. May be a fraction. */
  readonly processorQuota: number | undefined
  /** Bytes after which the kernel kills; undefined without a limit. */
  readonly memoryLimitBytes: number | undefined
  /**
   * Bytes that count against that limit and cannot be reclaimed, socket buffers of the kernel among them. Undefined
   * where other processes share the limit: what they hold is not this one's to judge.
   */
  readonly memoryUsage: (() => number) | undefined
}

/**
 * Reads quotas, cpusets and limits of control groups, version 1 and 2 (cgroups(7), proc_pid_mountinfo(5)).
 *
 * `os.availableParallelism` alone will not do: it takes a quota below one processor for none, rounds down only the
 * others, and finds version 1 only where `cpu` and `cpuacct` are mounted together.
 *
 * `root` is where `proc` and `sys` are looked for.
 */
export function readGrantedResources(root = '/'): GrantedResources {
  const memory = directoriesOf('memory', root)
  const memoryLimitBytes = tightest(memory, memoryLimit)
  return {
    processors: processors(root),
    processorQuota: tightest(directoriesOf('cpu', root), processorQuota),
    memoryLimitBytes,
    memoryUsage: memoryLimitBytes === undefined ? undefined : usageOf(memory[0]),
  }
}

/**
 * Data workers for what is granted: one a whole processor of the quota, since what a fraction more would serve the
 * kernel would throttle in the middle of requests; the rest is for the control thread and garbage collection. Without
 * a quota what was asked of the scheduler counts, in processors, and without that every processor.
 */
export function workersFor(granted: GrantedResources, requested: number | undefined): number {
  const share = granted.processorQuota ?? requested ?? granted.processors
  return Math.max(1, Math.min(granted.processors, Math.floor(share)))
}

interface Directory {
  readonly path: string
  readonly version: 1 | 2
}

/** The process's control group for a controller and those above it, as far as they are mounted; its own is the first. */
function directoriesOf(controller: string, root: string): readonly Directory[] {
  const groups = lines(join(root, 'proc/self/cgroup')).map(line => /^(\d+):([^:]*):(.*)$/.exec(line))
  const own = groups.find(group => group?.[2]?.split(',').includes(controller))
  const version = own === undefined ? 2 : 1
  const path = (own ?? groups.find(group => group?.[1] === '0'))?.[3]
  const mount = lines(join(root, 'proc/self/mountinfo'))
    .map(readMount)
    .find(one => (version === 2 ? one?.type === 'cgroup2' : one?.type === 'cgroup' && one.options.includes(controller)))
  if (path === undefined || mount === undefined) return []
  const top = join(root, mount.point)
  const below = relative(mount.root, path)
  // Outside what is mounted here: the mount is all that can be seen.
  let directory = below.startsWith('..') ? top : join(top, below)
  const found: Directory[] = [{ path: directory, version }]
  while (directory !== top) {
    directory = dirname(directory)
    found.push({ path: directory, version })
  }
  return found
}

function readMount(line: string) {
  const [front = '', back = ''] = line.split(' - ')
  const [, , , root = '/', point = '/'] = front.split(' ')
  const [type = '', , options = ''] = back.split(' ')
  return { root, point, type, options: options.split(',') }
}

function processors(root: string): number {
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(read(join(root, 'proc/self/status')))?.[1] ?? ''
  let count = 0
  for (const range of allowed.split(',')) {
    const [first = Number.NaN, last = first] = range.split('-').map(text => Number.parseInt(text, 10))
    count += last - first + 1
  }
  return count > 0 ? count : availableParallelism()
}

function processorQuota({ path, version }: Directory): number | undefined {
  const [quota = Number.NaN, period = Number.NaN] =
    version === 2
      ? read(join(path, 'cpu.max')).split(' ').map(Number)
      : [number(join(path, 'cpu.cfs_quota_us')), number(join(path, 'cpu.cfs_period_us'))]
  return quota > 0 && period > 0 ? quota / period : undefined
}

/** Version 1 has no word for `none`: it gives the largest number of pages. */
const unlimitedBytes = 2 ** 60

function memoryLimit({ path, version }: Directory): number | undefined {
  const limit = number(join(path, version === 2 ? 'memory.max' : 'memory.limit_in_bytes'))
  return limit > 0 && limit < unlimitedBytes ? limit : undefined
}

function usageOf(directory: Directory | undefined): (() => number) | undefined {
  if (directory === undefined) return undefined
  const { path, version } = directory
  if (lines(join(path, 'cgroup.procs')).join(',') !== String(process.pid)) return undefined
  const usage = join(path, version === 2 ? 'memory.current' : 'memory.usage_in_bytes')
  const inactive = version === 2 ? /^inactive_file (\d+)$/m : /^total_inactive_file (\d+)$/m
  return () => {
    const reclaimable = Number(inactive.exec(read(join(path, 'memory.stat')))?.[1] ?? 0)
    const bytes = number(usage)
    return Number.isNaN(bytes) ? 0 : bytes - reclaimable
  }
}

function tightest(
  directories: readonly Directory[],
  limitOf: (directory: Directory) => number | undefined,
): number | undefined {
  const limits = directories.map(limitOf).filter(limit => limit !== undefined)
  return limits.length === 0 ? undefined : Math.min(...limits)
}

/** NaN where there is no file, or no number in it. */
function number(file: string): number {
  return Number.parseInt(read(file), 10)
}

function lines(file: string): readonly string[] {
  return read(file)
    .split('\n')
    .filter(line => line !== '')
}

/** Empty where it cannot be read: kernels and containers differ in what they show. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
