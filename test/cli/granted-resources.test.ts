import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readGrantedResources, workersFor } from '../../src/cli/granted-resources.ts'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ingress-fleet-cgroup-'))
  write({ 'proc/self/status': 'Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t0-3,8-11\n' })
})

afterEach(() => {
  rmSync(root, { recursive: true })
})

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
}

const unified = {
  'proc/self/cgroup': '0::/\n',
  'proc/self/mountinfo': '30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup rw,nsdelegate\n',
}

const separate = {
  'proc/self/cgroup': '5:cpu,cpuacct:/kubepods/pod1/c1\n4:memory:/kubepods/pod1/c1\n0::/\n',
  'proc/self/mountinfo': [
    '33 31 0:30 /kubepods/pod1/c1 /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct',
    '35 31 0:32 / /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory',
    '41 31 0:38 / /sys/fs/cgroup/unified ro - cgroup2 cgroup2 rw',
  ].join('\n'),
}

describe('control groups of version 2', () => {
  test('grant what cpu.max and memory.max say', () => {
    write({
      ...unified,
      'sys/fs/cgroup/cpu.max': '250000 100000\n',
      'sys/fs/cgroup/memory.max': '536870912\n',
      'sys/fs/cgroup/cgroup.procs': `${process.pid}\n`,
      'sys/fs/cgroup/memory.current': '300000000\n',
      'sys/fs/cgroup/memory.stat': 'anon 1\ninactive_file 100000000\nactive_file 5\n',
    })
    const granted = readGrantedResources(root)
    expect(granted).toMatchObject({ processors: 8, processorQuota: 2.5, memoryLimitBytes: 536_870_912 })
    expect(granted.memoryUsage?.()).toBe(200_000_000)
  })

  test('grant everything where they say max', () => {
    write({ ...unified, 'sys/fs/cgroup/cpu.max': 'max 100000\n', 'sys/fs/cgroup/memory.max': 'max\n' })
    expect(readGrantedResources(root)).toEqual({
      processors: 8,
      processorQuota: undefined,
      memoryLimitBytes: undefined,
      memoryUsage: undefined,
    })
  })

  test('are bound by the tightest of those above', () => {
    write({
      ...unified,
      'proc/self/cgroup': '0::/system.slice/proxy.service\n',
      'sys/fs/cgroup/system.slice/proxy.service/cpu.max': '400000 100000\n',
      'sys/fs/cgroup/system.slice/cpu.max': '150000 100000\n',
      'sys/fs/cgroup/system.slice/memory.max': '1000000000\n',
      'sys/fs/cgroup/system.slice/proxy.service/memory.max': 'max\n',
    })
    expect(readGrantedResources(root)).toMatchObject({ processorQuota: 1.5, memoryLimitBytes: 1_000_000_000 })
  })

  test('shared with other processes are not measured', () => {
    write({
      ...unified,
      'sys/fs/cgroup/memory.max': '536870912\n',
      'sys/fs/cgroup/cgroup.procs': `1\n${process.pid}\n`,
    })
    expect(readGrantedResources(root).memoryUsage).toBeUndefined()
  })
})

describe('control groups of version 1', () => {
  test('grant what the quota of the mounted group and the memory limits above say', () => {
    write({
      ...separate,
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '50000\n',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
      'sys/fs/cgroup/memory/kubepods/pod1/c1/memory.limit_in_bytes': '9223372036854771712\n',
      'sys/fs/cgroup/memory/kubepods/pod1/memory.limit_in_bytes': '268435456\n',
      'sys/fs/cgroup/memory/kubepods/pod1/c1/cgroup.procs': `${process.pid}\n`,
      'sys/fs/cgroup/memory/kubepods/pod1/c1/memory.usage_in_bytes': '900\n',
      'sys/fs/cgroup/memory/kubepods/pod1/c1/memory.stat': 'inactive_file 1\ntotal_inactive_file 200\n',
    })
    const granted = readGrantedResources(root)
    expect(granted).toMatchObject({ processorQuota: 0.5, memoryLimitBytes: 268_435_456 })
    expect(granted.memoryUsage?.()).toBe(700)
  })

  test('have no quota where it is -1', () => {
    write({
      ...separate,
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
      'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
    })
    expect(readGrantedResources(root).processorQuota).toBeUndefined()
  })
})

test('without control groups the affinity is what is granted', () => {
  expect(readGrantedResources(root)).toMatchObject({ processors: 8, processorQuota: undefined })
})

test('what this machine grants can be read', () => {
  expect(readGrantedResources().processors).toBeGreaterThan(0)
})

test.each([
  [{ processors: 8, processorQuota: undefined }, undefined, 8],
  [{ processors: 8, processorQuota: 2.5 }, undefined, 2],
  [{ processors: 8, processorQuota: 0.5 }, undefined, 1],
  [{ processors: 2, processorQuota: 16 }, undefined, 2],
  [{ processors: 64, processorQuota: undefined }, 0.1, 1],
  [{ processors: 64, processorQuota: undefined }, 4, 4],
  [{ processors: 2, processorQuota: undefined }, 4, 2],
  // A limit says more than a request.
  [{ processors: 64, processorQuota: 8 }, 1, 8],
])('workers for %j and a request of %s: %i', (granted, requested, workers) => {
  expect(workersFor({ ...granted, memoryLimitBytes: undefined, memoryUsage: undefined }, requested)).toBe(workers)
})
