import { expect, test } from 'vitest'
import { readAnswer } from './answer.ts'

const answer = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length:  5\r\nX-Other: 7\r\n\r\nhello')

test('an answer is complete with its last octet, not before', () => {
  for (let length = 0; length < answer.length; length++) expect(readAnswer(answer, length)).toBeUndefined()
  expect(readAnswer(answer, answer.length)).toEqual({ status: 200, bodyStart: answer.length - 5, end: answer.length })
})

test('octets beyond those received are not looked at', () => {
  const buffer = Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n'), answer])
  expect(readAnswer(buffer, 17)).toBeUndefined()
})

test('an answer of unknown length is none', () => {
  const chunked = Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')
  expect(readAnswer(chunked, chunked.length)?.status).toBe(0)
})
