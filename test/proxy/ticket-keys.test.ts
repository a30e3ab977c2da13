import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TicketKeys } from '../../src/proxy/ticket-keys.ts'

const hourMs = 3_600_000

let folder: string
let file: string
let nowMs: number
let told: string[]
let changes: number

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingress-fleet-tickets-'))
  file = join(folder, 'ticket.key')
  nowMs = 0
  told = []
  changes = 0
})

afterEach(() => rmSync(folder, { recursive: true }))

function keysOf(path?: string): TicketKeys {
  return new TicketKeys({
    file: path,
    log: { info: () => {}, warn: (_: object, message: string) => told.push(message) } as never,
    onChange: () => {
      changes++
    },
    nowMs: () => nowMs,
  })
}

test('without a file random keys are replaced every twelve hours', async () => {
  const keys = keysOf()
  const first = keys.current
  nowMs = 12 * hourMs - 1
  await keys.refresh()
  expect(keys.current).toEqual(first)
  nowMs++
  await keys.refresh()
  expect(keys.current).not.toEqual(first)
  expect(keys.current.length).toBe(48)
  expect(changes).toBe(1)
})

test('a file is taken over as soon as it is there, and followed', async () => {
  const keys = keysOf(file)
  const random = keys.current
  await keys.refresh()
  await keys.refresh()
  expect(keys.current).toEqual(random)
  expect(told).toEqual(['keys of TLS session tickets can not be read'])
  for (const octet of [1, 2]) {
    writeFileSync(file, Buffer.alloc(48, octet))
    await keys.refresh()
    await keys.refresh()
    expect(keys.current).toEqual(new Uint8Array(48).fill(octet))
  }
  expect(changes).toBe(2)
})

test('a file that is broken or gone leaves the last keys in use, however old', async () => {
  writeFileSync(file, Buffer.alloc(48, 1))
  const keys = keysOf(file)
  await keys.refresh()
  writeFileSync(file, 'short')
  nowMs = 100 * hourMs
  await keys.refresh()
  await keys.refresh()
  expect(keys.current).toEqual(new Uint8Array(48).fill(1))
  expect(told.length).toBe(1)
})
