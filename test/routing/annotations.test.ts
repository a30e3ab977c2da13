import { describe, expect, test } from 'vitest'
import { annotations, honouredAnnotations } from '../../src/routing/annotations.ts'
import { readAnnotations } from '../../src/routing/read-annotations.ts'
import { matches } from '../../src/routing/source-ranges.ts'
import { bench, ingress, path, rule, service } from './objects.ts'

const object = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace: 'shop', name: 'web' }
const prefix = 'nginx.ingress.kubernetes.io'

function read(texts: Record<string, string>): ReturnType<typeof readAnnotations> {
  return readAnnotations(
    Object.fromEntries(Object.entries(texts).map(([key, text]) => [`${prefix}/${key}`, text])),
    prefix,
    object,
  )
}

describe('the table', () => {
  test('has each annotation once, aliases included, and text about it', () => {
    const names = annotations.flatMap(row => [row.key, ...(row.effect === 'honoured' ? row.aliases : [])])
    expect(new Set(names).size).toBe(names.length)
    expect(annotations.filter(row => row.doc.length < 9).map(({ key }) => key)).toEqual([])
    expect(names.filter(name => !/^[a-z0-9-]+$/.test(name))).toEqual([])
  })

  test('has every annotation of ingress-nginx: 136, the two aliases and one that came later', () => {
    const names = annotations.flatMap(row => [row.key, ...(row.effect === 'honoured' ? row.aliases : [])])
    expect(names).toHaveLength(139)
    expect(names).toEqual(
      expect.arrayContaining(['whitelist-source-range', 'limit-whitelist', 'session-cookie-partitioned']),
    )
  })

  test('is in order of keys', () => {
    const keys = annotations.map(row => row.key)
    expect(keys).toEqual([...keys].sort())
  })

  test('fails closed on everything that protects and is not honoured', () => {
    const open = annotations.filter(
      row => row.security && row.effect !== 'refused' && !(row.effect === 'honoured' && row.onInvalid === 'refuse'),
    )
    expect(open).toEqual([])
    const guards = annotations.filter(
      row => /^(auth-|limit-r|limit-c)|-snippet$/.test(row.key) && row.effect !== 'ignored',
    )
    expect(guards.length).toBeGreaterThan(30)
    expect(guards.filter(row => !row.security)).toEqual([])
  })

  test('marks text of nginx as critical, and nothing else', () => {
    const keysOf = (rows: typeof annotations): readonly string[] => rows.map(({ key }) => key)
    const critical = keysOf(annotations.filter(row => row.risk === 'critical'))
    expect(critical).toEqual(keysOf(annotations.filter(row => row.key.endsWith('-snippet'))))
  })

  test('says for people what each honoured value may be', () => {
    for (const row of Object.values(honouredAnnotations)) expect(row.allowed.length).toBeGreaterThan(8)
  })
})

describe('values', () => {
  test.each([
    ['ssl-redirect', 'false', 'sslRedirect', false],
    ['ssl-redirect', 'F', 'sslRedirect', false],
    ['ssl-redirect', 'TRUE', 'sslRedirect', true],
    ['ssl-redirect', ' true \n', 'sslRedirect', true],
    ['force-ssl-redirect', '1', 'forceSslRedirect', true],
    ['preserve-trailing-slash', 't', 'preserveTrailingSlash', true],
    ['proxy-connect-timeout', '5', 'connectTimeoutMs', 5000],
    ['proxy-read-timeout', '3600', 'readTimeoutMs', 3_600_000],
    ['proxy-send-timeout', '999999999', 'sendTimeoutMs', 2_147_483_647],
    ['proxy-body-size', '0', 'maxBodyBytes', 0],
    ['proxy-body-size', '8m', 'maxBodyBytes', 8 * 1024 * 1024],
    ['proxy-body-size', '8M', 'maxBodyBytes', 8 * 1024 * 1024],
    ['proxy-body-size', '1k', 'maxBodyBytes', 1024],
    ['proxy-body-size', '2g', 'maxBodyBytes', 2 * 1024 ** 3],
    ['proxy-body-size', '100b', 'maxBodyBytes', 100],
    ['proxy-next-upstream-tries', '0', 'upstreamTries', 0],
    ['proxy-next-upstream', 'error timeout', 'retryOn', ['error', 'timeout']],
    ['proxy-next-upstream', 'http_502 non_idempotent', 'retryOn', ['http_502', 'non_idempotent']],
    ['proxy-next-upstream', 'off', 'retryOn', ['off']],
    ['proxy-next-upstream-timeout', '0', 'retryWithinMs', 0],
    ['proxy-request-buffering', 'on', 'requestBuffering', true],
    ['proxy-request-buffering', 'off', 'requestBuffering', false],
    ['client-body-buffer-size', '16k', 'maxBufferedBodyBytes', 16_384],
    ['upstream-vhost', 'app.example.com:8080', 'upstreamVhost', 'app.example.com:8080'],
    ['upstream-vhost', '[2001:db8::1]:80', 'upstreamVhost', '[2001:db8::1]:80'],
    ['load-balance', 'round_robin', 'loadBalance', 'round_robin'],
    ['load-balance', 'ewma', 'loadBalance', 'ewma'],
    ['load-balance', 'least_requests', 'loadBalance', 'least_requests'],
    ['upstream-hash-by-subset', 'true', 'upstreamHashBySubset', true],
    ['upstream-hash-by-subset-size', '4', 'upstreamHashBySubsetSize', 4],
    ['affinity', 'cookie', 'affinity', 'cookie'],
    ['affinity-mode', 'persistent', 'affinityMode', 'persistent'],
    ['session-cookie-name', 'SERVERID', 'sessionCookieName', 'SERVERID'],
    ['session-cookie-path', '/foo bar/', 'sessionCookiePath', '/foo bar/'],
    ['session-cookie-domain', '.foo.bar', 'sessionCookieDomain', '.foo.bar'],
    ['session-cookie-expires', '172800', 'sessionCookieExpires', 172_800],
    ['session-cookie-max-age', '-1', 'sessionCookieMaxAge', -1],
    ['session-cookie-samesite', 'None', 'sessionCookieSameSite', 'None'],
    ['session-cookie-conditional-samesite-none', 'true', 'sessionCookieConditionalSameSiteNone', true],
    ['session-cookie-secure', 'true', 'sessionCookieSecure', true],
    ['session-cookie-partitioned', 'true', 'sessionCookiePartitioned', true],
    ['session-cookie-change-on-failure', 'true', 'sessionCookieChangeOnFailure', true],
  ])('%s: %j sets %s', (key, text, option, value) => {
    expect(read({ [key]: text })).toEqual({
      options: { [option]: value },
      refusal: undefined,
      skip: false,
      problems: [],
    })
  })

  test.each([
    ['ssl-redirect', 'yes'],
    ['ssl-redirect', 'tRue'],
    ['force-ssl-redirect', 'on'],
    ['proxy-read-timeout', '60s'],
    ['proxy-read-timeout', '0'],
    ['proxy-read-timeout', '-1'],
    ['proxy-read-timeout', '1.5'],
    ['proxy-body-size', '8mb'],
    ['proxy-body-size', '-1'],
    ['proxy-body-size', '999999999999999g'],
    ['proxy-next-upstream-tries', 'three'],
    ['proxy-next-upstream', 'always'],
    ['proxy-request-buffering', 'true'],
    ['client-body-buffer-size', '0'],
    ['load-balance', 'least_conn'],
    ['upstream-hash-by-subset-size', '0'],
    ['upstream-hash-by-subset-size', '65'],
    ['affinity', 'ip'],
    ['affinity-mode', 'sticky'],
    ['session-cookie-name', 'a b'],
    ['session-cookie-name', 'a=b'],
    ['session-cookie-name', 'a\r\nX-Evil: 1'],
    ['session-cookie-path', 'foo'],
    ['session-cookie-path', '/foo; Domain=evil.example'],
    ['session-cookie-path', '/foo\u0000'],
    ['session-cookie-domain', 'foo.bar; Secure'],
    ['session-cookie-expires', '1h'],
    ['session-cookie-max-age', '1.5'],
    ['session-cookie-samesite', 'none'],
  ])('%s: %j is told of and its default applies', (key, text) => {
    const { options, refusal, problems } = read({ [key]: text })
    expect(options).toEqual({})
    expect(refusal).toBeUndefined()
    expect(problems).toMatchObject([{ reason: 'InvalidAnnotation', field: `metadata.annotations[${prefix}/${key}]` }])
    expect(problems[0]?.message).toContain('it must be')
  })

  test('an empty value counts as absent where that opens nothing', () => {
    expect(read({ 'proxy-body-size': '', 'ssl-redirect': ' ', affinity: '' })).toMatchObject({
      options: {},
      problems: [],
    })
  })
})

describe('source ranges', () => {
  test('are networks and addresses; the alias counts where the name is absent', () => {
    const { options } = read({ 'whitelist-source-range': '10.0.0.0/8, 2001:db8::/32,192.0.2.1' })
    const ranges = options.allowSourceRanges ?? []
    expect(['10.1.1.1', '2001:db8::5', '192.0.2.1'].every(address => matches(ranges, address))).toBe(true)
    expect(matches(ranges, '192.0.2.2')).toBe(false)
    const both = read({ 'allowlist-source-range': '10.0.0.0/8', 'whitelist-source-range': '0.0.0.0/0' })
    expect(matches(both.options.allowSourceRanges ?? [], '192.0.2.1')).toBe(false)
    expect(both.problems).toEqual([])
  })

  test.each(['', '10.0.0.0/8,', '10.0.0.0/8,nonsense', '10.0.0.0/40', '10.0.0.0/8 192.0.2.1', 'all'])(
    'a list %j that can not be read closes the route',
    text => {
      for (const key of ['allowlist-source-range', 'whitelist-source-range', 'denylist-source-range']) {
        const { options, refusal, problems } = read({ [key]: text })
        expect(options).toEqual({})
        expect(refusal).toEqual({ status: 503, reason: 'InvalidAnnotation' })
        expect(problems).toMatchObject([
          { field: `metadata.annotations[${prefix}/${key}]`, reason: 'InvalidAnnotation' },
        ])
      }
    },
  )
})

describe('what is not supported', () => {
  test.each([
    ['auth-url', 'http://a.example'],
    ['auth-url', ''],
    ['auth-secret', 'users'],
    ['auth-type', 'basic'],
    ['auth-tls-secret', 'ca'],
    ['auth-tls-secret', 'other/ca'],
    ['auth-tls-verify-client', 'on'],
    ['auth-tls-verify-client', 'yes'],
    ['auth-tls-verify-depth', 'deep'],
    ['auth-tls-pass-certificate-to-upstream', 'on'],
    ['auth-tls-match-cn', 'CN=(a+)+'],
    ['auth-tls-match-cn', 'CN=alice'],
    ['auth-tls-error-page', '/sorry'],
    ['enable-global-auth', 'true'],
    ['satisfy', 'any'],
    ['limit-rps', '5'],
    ['limit-connections', '5'],
    ['configuration-snippet', 'deny all;'],
    ['server-snippet', 'deny all;'],
    ['enable-modsecurity', 'true'],
    ['enable-modsecurity', 'yes'],
    ['custom-headers', 'shop/headers'],
    ['ssl-ciphers', 'HIGH'],
    ['rewrite-target', '/$1'],
    ['use-regex', 'true'],
    ['backend-protocol', 'HTTPS'],
    ['backend-protocol', 'grpc'],
    ['ssl-passthrough', 'true'],
    ['permanent-redirect', 'https://a.example'],
    ['temporal-redirect', 'https://a.example'],
    ['upstream-vhost', '$service_name.svc'],
    ['upstream-vhost', 'a.example\r\nX-Evil: 1'],
  ])('%s: %j closes the routes with 503 and says so', (key, text) => {
    const annotated = ingress({ annotations: { [key]: text }, rules: [rule('a.example', path('/'))] })
    const { ask, translator } = bench([annotated, service('app')])
    expect(ask('a.example', '/')).toMatch(/^503 (Unsupported|Invalid)Annotation$/)
    expect(translator.problems()).toHaveLength(1)
    expect(translator.problems()[0]?.message).toContain(key)
  })

  test.each([
    ['enable-cors', 'true'],
    ['server-alias', 'b.example'],
    ['app-root', '/start'],
    ['mirror-target', 'https://a.example'],
    ['service-upstream', 'true'],
  ])('%s: %j is told of and the route served without it', (key, text) => {
    expect(read({ [key]: text })).toMatchObject({
      options: {},
      refusal: undefined,
      skip: false,
      problems: [{ reason: 'UnsupportedAnnotation' }],
    })
  })

  test.each([
    ['use-regex', 'false'],
    ['backend-protocol', 'HTTP'],
    ['backend-protocol', 'http'],
    ['backend-protocol', 'nonsense'],
    ['ssl-passthrough', 'false'],
    ['canary', 'false'],
    ['enable-cors', 'false'],
    ['enable-modsecurity', 'false'],
    ['enable-global-auth', 'false'],
    ['limit-rps', '0'],
    ['satisfy', 'all'],
    ['proxy-buffering', 'on'],
    ['proxy-buffer-size', '16k'],
    ['proxy-ssl-verify', 'on'],
  ])('%s: %j loses nothing and is accepted in silence', (key, text) => {
    expect(read({ [key]: text })).toEqual({ options: {}, refusal: undefined, skip: false, problems: [] })
  })

  test('a canary Ingress is no server of its own: it is left out, not in the way of the main one', () => {
    const canary = { name: 'canary', created: 0, annotations: { canary: 'true', 'canary-weight': '10' } }
    const { ask, reasons, translator } = bench([
      ingress({
        ...canary,
        rules: [rule('a.example', path('/', 'new'))],
        tls: [{ hosts: ['a.example'], secretName: 'none' }],
      }),
      ingress({ name: 'main', created: 5, rules: [rule('a.example', path('/', 'app'))] }),
      service('app'),
    ])
    expect(ask('a.example', '/')).toBe('app')
    expect(reasons()).toEqual([`UnsupportedAnnotation shop/canary metadata.annotations[${prefix}/canary]`])
    expect(translator.references().secrets.size).toBe(0)
    expect(translator.served()).toHaveLength(2)
  })

  test('a name that is not known is told of and the route served', () => {
    expect(read({ 'proxy-raed-timeout': '5', 'session-cookie-hash': 'md5' })).toMatchObject({
      refusal: undefined,
      problems: [{ reason: 'UnknownAnnotation' }, { reason: 'UnknownAnnotation' }],
    })
  })

  test('annotations of others are not ours to judge, and the prefix is an option', () => {
    const annotations = { 'cert-manager.io/issuer': 'x', 'nginx.org/rewrites': 'x', 'proxy.example/auth-url': 'x' }
    expect(readAnnotations(annotations, prefix, object).problems).toEqual([])
    expect(readAnnotations(annotations, 'proxy.example', object).refusal).toEqual({
      status: 503,
      reason: 'UnsupportedAnnotation',
    })
  })

  test('another prefix takes effect on Ingresses that are there', () => {
    const annotated = ingress({ annotations: { 'auth-url': 'http://x' }, rules: [rule('a.example', path('/'))] })
    const { ask, reconfigure } = bench([annotated, service('app')])
    reconfigure({ annotationsPrefix: 'proxy.example' })
    expect(ask('a.example', '/')).toBe('app')
  })
})
