import { expect, test } from 'vitest'
import { createLog } from '../../src/observe/log.ts'

function capture(level: 'info' | 'debug') {
  const lines: Record<string, unknown>[] = []
  const log = createLog({
    level,
    destination: { write: line => lines.push(JSON.parse(line) as Record<string, unknown>) },
  })
  return { log, lines }
}

test('a line is JSON with its level as a word, its time and its fields', () => {
  const { log, lines } = capture('info')
  log.child({ component: 'proxy' }).info({ revision: 3 }, 'table served')
  expect(lines[0]?.['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/)
  expect(lines).toEqual([
    {
      level: 'info',
      time: lines[0]?.['time'],
      component: 'proxy',
      revision: 3,
      msg: 'table served',
    },
  ])
})

test('lines below the level are not written', () => {
  const { log, lines } = capture('info')
  log.debug('detail')
  expect(lines).toEqual([])
})

test('keys and tokens never reach it', () => {
  const { log, lines } = capture('info')
  log.info({ certificate: { id: 'a/b', key: 'secret' }, token: 'secret' }, 'certificate read')
  expect(JSON.stringify(lines)).not.toContain('secret')
  expect(lines[0]).toMatchObject({ certificate: { id: 'a/b' } })
})
