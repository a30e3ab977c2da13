import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { closeFrame, FrameTracker } from '../../src/http1/websocket-frames.ts'

/** A frame as RFC 6455 section 5.2 draws it. */
function frame(opcode: number, length: number, masked: boolean): Buffer {
  const mask = masked ? 0x80 : 0
  const header = [0x80 | opcode]
  if (length < 126) header.push(mask | length)
  else if (length < 65_536) header.push(mask | 126, length >> 8, length & 0xff)
  else header.push(mask | 127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 0xff, length & 0xff)
  if (masked) header.push(0xff, 0x88, 0x7e, 0x88)
  return Buffer.concat([Buffer.from(header), Buffer.alloc(length, 0x88)])
}

const frames = fc.array(
  fc.record({
    opcode: fc.constantFrom(0, 1, 2, 9, 10),
    length: fc.oneof(fc.nat(130), fc.constantFrom(125, 126, 127, 65_535, 65_536, 70_000)),
    masked: fc.boolean(),
  }),
  { minLength: 1, maxLength: 5 },
)

test('boundaries are where frames end, however the bytes are cut', () => {
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1 }), (drawn, cuts) => {
      const tracker = new FrameTracker()
      const bytes = Buffer.concat(drawn.map(({ opcode, length, masked }) => frame(opcode, length, masked)))
      let at = 0
      const ends = new Set(drawn.map(({ length, masked, opcode }) => (at += frame(opcode, length, masked).length)))
      for (let from = 0, cut = 0; from < bytes.length; cut++) {
        const to = Math.min(bytes.length, from + (cuts[cut % cuts.length] ?? 1))
        tracker.follow(bytes, from, to)
        expect(tracker.atBoundary).toBe(ends.has(to))
        from = to
      }
      expect(tracker.closeSeen).toBe(false)
    }),
    { numRuns: 200 },
  )
})

test('following to a boundary stops at the first one', () => {
  const tracker = new FrameTracker()
  const bytes = Buffer.concat([frame(1, 300, true), frame(1, 5, true)])
  tracker.follow(bytes, 0, 3)
  expect(tracker.followToBoundary(bytes, 3, 100)).toBe(100)
  expect(tracker.followToBoundary(bytes, 100, bytes.length)).toBe(frame(1, 300, true).length)
  expect(tracker.followToBoundary(bytes, 308, bytes.length)).toBe(308)
})

test('a Close frame is seen, and is not seen in the payload of others', () => {
  const tracker = new FrameTracker()
  tracker.follow(frame(2, 1_000, false), 0, 1_004)
  expect(tracker.closeSeen).toBe(false)
  const close = closeFrame(1001)
  tracker.follow(close, 0, close.length)
  expect(tracker).toMatchObject({ closeSeen: true, atBoundary: true })
})

test('the Close frame is that of RFC 6455, masked for servers', () => {
  expect([...closeFrame(1001)]).toEqual([0x88, 2, 0x03, 0xe9])
  expect([...closeFrame(1001, Uint8Array.of(1, 2, 3, 4))]).toEqual([0x88, 0x82, 1, 2, 3, 4, 0x03 ^ 1, 0xe9 ^ 2])
})
