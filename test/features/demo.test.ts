import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

test('the demo shows the plan, sends its requests, finds all right and leaves nothing behind', () => {
  const folders = (): string[] => readdirSync(tmpdir()).filter(name => name.startsWith('ingress-fleet-demo-'))
  const before = new Set(folders())
  const { status, stdout, stderr } = spawnSync(process.execPath, ['hack/demo.ts'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ONCE: '1' },
    timeout: 60_000,
  })
  expect(stderr).toBe('')
  expect(stdout).toContain('kind: Deployment')
  expect(stdout).not.toContain('PRIVATE KEY')
  expect(stdout).toMatch(/ok {4}20 requests to https:\/\/shop\.example\.com\/cart: 20 by cart-1\n/)
  expect(stdout.trim().split('\n').at(-1)).toBe('demo: all is right')
  expect(status).toBe(0)
  expect(folders().filter(name => !before.has(name))).toEqual([])
})
