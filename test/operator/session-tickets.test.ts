import { expect, test } from 'vitest'
import { rotateTicketKeys, rotationMs, type TicketKeys } from '../../src/operator/session-tickets.ts'

const now = new Date('2026-11-23T08:00:00Z')
const later = (ms: number): Date => new Date(now.getTime() + ms)

function secretOf(keys: TicketKeys | undefined) {
  return {
    apiVersion: 'v1',
    kind: 'Secret' as const,
    metadata: { name: 'tickets' },
    data: { 'ticket.key': keys?.key ?? '', 'issued-at': btoa(keys?.issuedAt ?? '') },
  }
}

test('keys are made where there are none, and kept for their time', () => {
  const made = rotateTicketKeys(undefined, now)
  expect(Buffer.from(made.keys?.key ?? '', 'base64').length).toBe(48)
  expect(made.rotateAt).toEqual(later(rotationMs))
  const kept = rotateTicketKeys(secretOf(made.keys), later(rotationMs - 1))
  expect(kept).toEqual(made)
})

test('keys are replaced when their time is over, and the new ones count from then', () => {
  const { keys } = rotateTicketKeys(undefined, now)
  const replaced = rotateTicketKeys(secretOf(keys), later(rotationMs))
  expect(replaced.keys?.key).not.toBe(keys?.key)
  expect(replaced.rotateAt).toEqual(later(2 * rotationMs))
})

test.each([
  ['of the wrong length', { key: btoa('short'), issuedAt: now.toISOString() }],
  ['without a time', { key: Buffer.alloc(48, 7).toString('base64'), issuedAt: '' }],
  ['of a time to come', { key: Buffer.alloc(48, 7).toString('base64'), issuedAt: later(1).toISOString() }],
])('keys %s are replaced', (_, keys) => {
  const decision = rotateTicketKeys(secretOf(keys), now)
  expect(decision.keys?.key).not.toBe(keys.key)
  expect(decision.keys?.issuedAt).toBe(now.toISOString())
})
