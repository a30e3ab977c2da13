import { expect, test } from 'vitest'
import { type InProcess, turn } from '../proxy/in-process.ts'
import { withOneBackend } from '../proxy/one-backend.ts'
import { deadPort, type RawBackend } from '../proxy/raw-backend.ts'

let backend: RawBackend
let proxy: InProcess

withOneBackend(one => {
  ;({ backend, proxy } = one)
})

async function lines(count: number): Promise<string[]> {
  let found: string[] = []
  while (found.length < count) {
    await turn()
    found = proxy.accessLog().split('\n').slice(0, -1)
  }
  return found
}

test('a line has the fields of ingress-nginx in its order', async () => {
  const client = await proxy.client()
  client.send(
    'POST /x?y=1 HTTP/1.1\r\nHost: a.test\r\nUser-Agent: wget "1"\r\nReferer: http://r.test/\r\nX-Request-ID: id-1\r\nContent-Length: 5\r\n\r\nhello',
  )
  await client.response()
  const [line = ''] = await lines(1)
  expect(line).toMatch(
    new RegExp(
      String.raw`^127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\] "POST /x\?y=1 HTTP/1\.1" 200 17 ` +
        String.raw`"http://r\.test/" "wget \\x221\\x22" \d+ \d+\.\d{3} \[test-app-80\] \[\] ` +
        String.raw`127\.0\.0\.1:${backend.port} 17 \d+\.\d{3} 200 id-1$`,
    ),
  )
})

test('a request that was tried twice names both attempts', async () => {
  const dead = await deadPort()
  await proxy.publish({ backends: { app: [dead, backend.port] } })
  const client = await proxy.client()
  client.get('a.test')
  await client.response()
  client.get('a.test')
  await client.response()
  const retried = (await lines(2)).find(line => line.includes('502, 200'))
  expect(retried).toContain(`127.0.0.1:${dead}, 127.0.0.1:${backend.port} 0, 12 `)
})

test('a request without a route, and bytes that are no request, have their line', async () => {
  const client = await proxy.client()
  client.get('nobody.test')
  await client.response()
  const other = await proxy.client()
  other.send('nonsense\r\n\r\n')
  await other.response()
  const [first, second] = await lines(2)
  expect(first).toMatch(
    /"GET \/ HTTP\/1\.1" 404 14 "-" "-" \d+ \d\.\d{3} \[upstream-default-backend\] \[\] - - - - [0-9a-f]{32}$/,
  )
  expect(second).toMatch(/\] "" 400 16 "-" "-" 0 0\.000 \[\] \[method-octet\] - - - - [0-9a-f]{32}$/)
})

test('as JSON it has the names of the variables', async () => {
  await proxy.publish({ settings: { accessLog: 'json' } })
  const client = await proxy.client()
  client.get('a.test', '/"quoted"', 'User-Agent: w\u00e9\r\n')
  await client.response()
  const [line = ''] = await lines(1)
  expect(JSON.parse(line)).toMatchObject({
    remote_addr: '127.0.0.1',
    request_method: 'GET',
    request_uri: '/"quoted"',
    server_protocol: 'HTTP/1.1',
    host: 'a.test',
    status: 200,
    http_user_agent: 'w\u00e9',
    proxy_upstream_name: 'test-app-80',
    upstream_status: '200',
    namespace: 'test',
    ingress_name: 'web',
    service_name: 'app',
  })
})

test('as JSON it says why a request failed', async () => {
  await proxy.publish({ settings: { accessLog: 'json', timeouts: { clientHeadMs: 50, readMs: 50 } } })
  backend.answer = (_, connection) => connection.send('nonsense\r\n\r\n')
  for (const bytes of [
    'GET / HTTP/1.1\r\nHost: a.test\r\nX :1\r\n\r\n',
    'GET / HTTP/1.1\r\nHost:',
    'POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\nnot hex\r\n',
    'GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n',
  ]) {
    const client = await proxy.client()
    client.send(bytes)
    await client.response()
    client.destroy()
  }
  const told = (await lines(5)).map(line => JSON.parse(line) as { readonly status: number; readonly reason: string })
  expect(told.map(({ status, reason }) => `${status} ${reason}`)).toEqual([
    '400 whitespace-in-field-name',
    '408 head-timeout',
    '400 chunk-size-syntax',
    '404 no_route',
    '502 upstream_malformed',
  ])
})

test('a request that its client gives up has one line, with 499 and the attempt', async () => {
  backend.answer = () => {}
  const client = await proxy.client()
  client.get('a.test', '/slow')
  await proxy.until(() => backend.requests.length === 1)
  client.socket.resetAndDestroy()
  await proxy.until(stats => stats.requests === 1)
  expect(await lines(1)).toEqual([
    expect.stringMatching(
      new RegExp(
        String.raw`"GET /slow HTTP/1\.1" 499 0 "-" "-" \d+ \d+\.\d{3} \[test-app-80\] \[\] 127\.0\.0\.1:${backend.port} 0 \d+\.\d{3} - [0-9a-f]{32}$`,
      ),
    ),
  ])
})

test('can be turned off', async () => {
  await proxy.publish({ settings: { accessLog: 'off' } })
  const client = await proxy.client()
  client.get('a.test')
  await client.response()
  await proxy.publish({ settings: { accessLog: 'text' } })
  client.get('a.test', '/logged')
  await client.response()
  const written = await lines(1)
  expect(written).toHaveLength(1)
  expect(written[0]).toContain('/logged')
})

test('nothing of it is lost when the proxy stops in order', async () => {
  const client = await proxy.client()
  for (let round = 0; round < 300; round++) {
    client.get('a.test', `/${'x'.repeat(1_000)}`)
    await client.response()
  }
  await proxy.proxy.drain({ lameDuckMs: 0, graceMs: 10_000 })
  expect(proxy.accessLog().split('\n').slice(0, -1)).toHaveLength(300)
})
