import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LogWriter } from '../../src/proxy/log-writer.ts'

test('batches are written whole and in order, and each is told when it is', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ingress-fleet-test-'))
  const fd = openSync(join(directory, 'log'), 'a')
  const writer = new LogWriter(fd)
  const done: number[] = []
  for (let index = 0; index < 10; index++) writer.write(`${index}\n`.repeat(50_000), () => done.push(index))
  await writer.flushed()
  expect(done).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  const lines = readFileSync(join(directory, 'log'), 'utf8').split('\n').slice(0, -1)
  expect(lines).toEqual(Array.from({ length: 500_000 }, (_, at) => String(Math.floor(at / 50_000))))
  closeSync(fd)
  rmSync(directory, { recursive: true })
})

test('a descriptor that cannot be written costs the lines and nothing else', async () => {
  const writer = new LogWriter(1_000_000)
  let done = 0
  writer.write('lost\n', () => done++)
  writer.write('lost\n', () => done++)
  await writer.flushed()
  expect(done).toBe(2)
})
