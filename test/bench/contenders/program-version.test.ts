import { expect, test } from 'vitest'
import { programVersion } from './program-version.ts'

test('a program that is there tells its version, one that is missing is undefined', () => {
  expect(programVersion([process.execPath, '--version'], /^v(\S+)/)).toBe(process.versions.node)
  expect(programVersion(['ingress-fleet-no-such-program', '-v'], /(.*)/)).toBeUndefined()
})

test('a program that fails, or says nothing of a version, is not taken for one that works', () => {
  expect(programVersion([process.execPath, '--no-such-option'], /(.*)/)).toBeUndefined()
  expect(programVersion([process.execPath, '--version'], /nginx\/(\S+)/)).toBeUndefined()
})
