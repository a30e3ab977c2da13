import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ingress, ingressDeployment, service, slice, tlsSecret } from './sample-objects.ts'
import { Serving } from './serving.ts'

describe('serve on a folder', () => {
  const serving = new Serving()

  beforeAll(async () => {
    const [web, cart] = [await serving.backend('web'), await serving.backend('cart')]
    serving.write('instance.yaml', ingressDeployment())
    serving.write(
      'services.yaml',
      service('web'),
      slice('web-1', 'web', web),
      service('cart'),
      slice('cart-1', 'cart', cart),
    )
    serving.write(
      'ingresses.yaml',
      ingress(
        'shop',
        [
          { host: 'shop.example.com', service: 'web' },
          { host: 'shop.example.com', path: '/cart', service: 'cart' },
        ],
        {
          tls: [{ hosts: ['shop.example.com'], secretName: 'shop-tls' }],
        },
      ),
      ingress('plain', [{ host: 'plain.example.com', service: 'web' }]),
      ingress('other', [{ host: 'other.example.com', service: 'web' }], { className: 'other' }),
    )
    serving.write('secret.yaml', await tlsSecret('shop-tls', ['shop.example.com']))
    await serving.start()
  })

  afterAll(async () => {
    await serving[Symbol.asyncDispose]()
  })

  test('routes by host and path', async () => {
    expect(await serving.get('http://plain.example.com/a?b=c')).toMatchObject({ status: 200, body: 'web GET /a?b=c' })
    expect(await serving.get('https://shop.example.com/')).toMatchObject({ status: 200, body: 'web GET /' })
    expect(await serving.get('https://shop.example.com/cart/1')).toMatchObject({
      status: 200,
      body: 'cart GET /cart/1',
    })
    expect(await serving.get('https://shop.example.com/cartoon')).toMatchObject({
      status: 200,
      body: 'web GET /cartoon',
    })
  })

  test('answers 404 for a host that nobody asked for', async () => {
    expect(await serving.get('http://nobody.example.com/')).toMatchObject({ status: 404 })
  })

  test('redirects plain HTTP where the host has TLS', async () => {
    const { status, headers } = await serving.get('http://shop.example.com/cart')
    expect(status).toBe(308)
    expect(headers.location).toMatch(/^https:\/\/shop\.example\.com(:\d+)?\/cart$/)
  })

  test('serves by server name the certificate of the Ingress, and a generated one to others', async () => {
    expect((await serving.get('https://shop.example.com/')).certificateName).toBe('shop.example.com')
    expect((await serving.get('https://plain.example.com/')).certificateName).toBe('ingress.local')
  })

  test("serves the IngressDeployment's class and no other", async () => {
    expect(await serving.get('http://other.example.com/')).toMatchObject({ status: 404 })
  })

  test('is ready, healthy and measured on the admin port', async () => {
    expect(await serving.getAdmin('/readyz')).toMatchObject({ status: 200 })
    expect(await serving.getAdmin('/healthz')).toMatchObject({ status: 200 })
    await serving.get('http://plain.example.com/')
    const { status, body } = await serving.getAdmin('/metrics')
    expect(status).toBe(200)
    expect(Number(/^ingress_fleet_proxy_requests_total (\d+)$/m.exec(body)?.[1])).toBeGreaterThan(0)
    expect(body).toMatch(/^ingress_fleet_proxy_workers_serving 2$/m)
  })

  test('shows the dashboard, which asks for nothing from elsewhere, and the table in it', async () => {
    const page = await serving.getAdmin('/')
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(page.body).not.toMatch(/(?:src|href)="(?!data:)/)
    expect(page.body).toContain("default-src 'none'")
    const table: unknown = JSON.parse((await serving.getAdmin('/api/table')).body)
    expect(table).toMatchObject({ instance: 'shop/shop', ingressClass: 'shop', problems: [] })
    expect(table).toHaveProperty('hosts[1].routes[0]', {
      path: '/cart',
      match: 'prefix',
      ingress: 'shop/shop',
      backend: 'shop/cart/http',
    })
    expect(JSON.stringify(table)).not.toContain('PRIVATE KEY')
  })

  test('listens on 127.0.0.1 alone', async () => {
    const others = Object.values(networkInterfaces())
      .flatMap(addresses => addresses ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
    expect(await serving.listensOn('127.0.0.1')).toBe(true)
    const elsewhere = ['127.0.0.2', ...others.map(({ address }) => address)]
    const listening = await Promise.all(elsewhere.map(address => serving.listensOn(address)))
    expect(elsewhere.filter((_, index) => listening[index])).toEqual([])
  })

  test('says in its log what it accepted, which class it serves and that a table is served', () => {
    expect(serving.log).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ level: 'info', msg: 'configuration validated and accepted', ingressClass: 'shop' }),
        expect.objectContaining({ level: 'info', msg: 'valid IngressClass found', ingressClass: 'shop' }),
        expect.objectContaining({
          msg: 'table served',
          revision: 1,
          hosts: 2,
          backends: 2,
          milliseconds: expect.any(Number) as unknown,
        }),
      ]),
    )
  })
})
