import { expect, test } from 'vitest'
import type { RequestHead } from '../../../src/http1/messages.ts'
import { bindRoute, check } from '../../../src/proxy/bound-route.ts'
import { phases } from '../../../src/proxy/phases/index.ts'
import type { RequestFacts } from '../../../src/proxy/phases/phase.ts'
import type { RouteOptions } from '../../../src/routing/annotations.ts'
import { defaultSettings } from '../../../src/routing/default-settings.ts'
import { parseSourceRange } from '../../../src/routing/source-ranges.ts'
import { type HostOptions, host } from '../in-process.ts'

const head: RequestHead = {
  method: 'POST',
  scheme: undefined,
  target: '/a',
  path: '/a',
  host: 'a.test',
  authority: 'a.test',
  minorVersion: 1,
  keepAlive: true,
  framing: 'length',
  contentLength: 5_000_000,
  expectContinue: false,
  finalRecipient: false,
  upgradeWebSocket: false,
  fields: '',
  identity: { forwardedFor: '', forwardedHost: '', forwardedProto: '', requestId: '' },
  referer: '',
  userAgent: '',
  cookie: '',
}
const request: RequestFacts = {
  head,
  secure: false,
  clientAddress: '192.0.2.1',
  tlsClient: undefined,
  redirectHost: 'a.test',
}
const denied: RouteOptions = {
  denySourceRanges: [parseSourceRange('192.0.2.0/24')].filter(range => range !== undefined),
}
const refusal = { status: 503, reason: 'because' }

function answerTo(facts: RequestFacts, options: HostOptions) {
  const bound = host('a.test', 'app', options)
  const [route] = bound.routes
  if (route === undefined) throw new Error('the host has a route')
  return check(bindRoute(bound, route, defaultSettings), facts)
}

test('stand in the order of ingress-nginx', () => {
  expect(phases.map(phase => phase.name)).toEqual([
    'refusal',
    'plain-http',
    'client-certificate',
    'source-ranges',
    'body-size',
  ])
})

test('a refusal beats the redirect to HTTPS', () => {
  expect(answerTo(request, { tls: true, refusal, options: denied })).toEqual({ status: 503, error: 'route_refused' })
})

test('the redirect to HTTPS beats the source ranges', () => {
  expect(answerTo(request, { tls: true, options: denied })).toEqual({ status: 308, location: 'https://a.test/a' })
})

test('the source ranges beat the body size', () => {
  expect(answerTo(request, { options: denied })).toEqual({ status: 403, error: 'source_not_allowed' })
})

test('the body size is the last', () => {
  expect(answerTo(request, {})).toEqual({ status: 413, error: 'body_too_large' })
})

test('a route pays for nothing that it does not use', () => {
  const bound = host('a.test', 'app', { options: { maxBodyBytes: 0 } })
  const [route] = bound.routes
  if (route === undefined) throw new Error('the host has a route')
  expect(bindRoute(bound, route, defaultSettings).checks).toEqual([])
})

test('a client that names no host is not redirected, nor served in the clear', () => {
  expect(answerTo({ ...request, tlsClient: undefined, redirectHost: '' }, { tls: true })).toEqual({
    status: 400,
    error: 'bad_request',
  })
})
