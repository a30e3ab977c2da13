import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ingress, ingressDeployment, service, slice, tlsSecret } from './sample-objects.ts'
import { Serving } from './serving.ts'

const patience = { timeout: 15_000, interval: 20 }
const shop = 'http://shop.example.com/'

describe('serve follows the folder', () => {
  let serving: Serving

  beforeEach(() => {
    serving = new Serving()
  })

  afterEach(async () => {
    await serving[Symbol.asyncDispose]()
  })

  async function bodies(count: number): Promise<string[]> {
    const answers = []
    for (let index = 0; index < count; index++) answers.push((await serving.get(shop)).body)
    return answers
  }

  async function serveShop(...options: readonly string[]): Promise<void> {
    serving.write('web.yaml', service('web'), slice('web-1', 'web', await serving.backend('web-1')))
    serving.write('ingress.yaml', ingress('shop', [{ host: 'shop.example.com', service: 'web' }]))
    await serving.start(...options)
  }

  test('an endpoint that comes gets requests, and one that goes never again', async () => {
    const second = await serving.backend('web-2')
    await serveShop()
    expect(new Set(await bodies(4))).toEqual(new Set(['web-1 GET /']))
    serving.write('web-2.yaml', slice('web-2', 'web', second))
    await vi.waitFor(async () => expect(await bodies(4)).toContain('web-2 GET /'), patience)
    serving.write('web-2.yaml', slice('web-2', 'web', undefined))
    await vi.waitFor(() => expect(serving.log.filter(({ msg }) => msg === 'table served')).toHaveLength(3), patience)
    expect(new Set(await bodies(12))).toEqual(new Set(['web-1 GET /']))
    const changed = serving.log.filter(({ msg }) => msg === 'configuration changed')
    expect(changed).toEqual([
      expect.objectContaining({ kind: 'EndpointSlice', namespace: 'shop', name: 'web-2' }),
      expect.objectContaining({ kind: 'EndpointSlice', namespace: 'shop', name: 'web-2' }),
    ])
  })

  test('a broken file keeps the last table, and its line is named; mended, it is served', async () => {
    await serveShop()
    serving.write(
      'ingress.yaml',
      ingress('shop', [{ host: 'new.example.com', service: 'web' }]),
      'apiVersion: v1\nkind: [Service',
    )
    await vi.waitFor(() => expect(serving.log.some(({ file }) => file === 'ingress.yaml')).toBe(true), patience)
    const [line] = serving.log.filter(({ file }) => file === 'ingress.yaml')
    expect(line).toMatchObject({
      level: 'warn',
      line: 4,
      problem: expect.stringContaining('not valid YAML') as unknown,
    })
    expect(await serving.get(shop)).toMatchObject({ status: 200 })
    const table = JSON.parse((await serving.getAdmin('/api/table')).body) as { problems: { where: string }[] }
    expect(table.problems.map(({ where }) => where)).toEqual([expect.stringMatching(/^ingress\.yaml:4:/)])
    serving.write('ingress.yaml', ingress('shop', [{ host: 'new.example.com', service: 'web' }]))
    await vi.waitFor(
      async () => expect(await serving.get('http://new.example.com/')).toMatchObject({ status: 200 }),
      patience,
    )
    expect(await serving.get(shop)).toMatchObject({ status: 404 })
  })

  test('a bad Ingress harms only itself, and is named', async () => {
    serving.write(
      'bad.yaml',
      ingress('bad', [
        { host: 'bad host', service: 'web' },
        { host: 'gone.example.com', service: 'gone' },
      ]),
    )
    await serveShop()
    expect(await serving.get(shop)).toMatchObject({ status: 200 })
    expect(await serving.get('http://gone.example.com/')).toMatchObject({ status: 503 })
    expect(serving.log).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        msg: 'object refused in part',
        kind: 'Ingress',
        namespace: 'shop',
        name: 'bad',
      }),
    )
  })

  test('a TLS Secret that comes is served, and a new one in its place, without a restart', async () => {
    serving.write('web.yaml', service('web'), slice('web-1', 'web', await serving.backend('web-1')))
    const tls = [{ hosts: ['*.shop.example.com'], secretName: 'shop-tls' }]
    serving.write('ingress.yaml', ingress('shop', [{ host: '*.shop.example.com', service: 'web' }], { tls }))
    await serving.start()
    const name = async (): Promise<string> => (await serving.get('https://a.shop.example.com/')).certificateName
    expect(await name()).toBe('ingress.local')
    serving.write('secret.yaml', await tlsSecret('shop-tls', ['one.shop.example.com', '*.shop.example.com']))
    await vi.waitFor(async () => expect(await name()).toBe('one.shop.example.com'), patience)
    serving.write('secret.yaml', await tlsSecret('shop-tls', ['two.shop.example.com', '*.shop.example.com']))
    await vi.waitFor(async () => expect(await name()).toBe('two.shop.example.com'), patience)
  })

  test('settings of the IngressDeployment apply live, and an invalid one changes nothing', async () => {
    serving.write('secret.yaml', await tlsSecret('shop-tls', ['shop.example.com']))
    serving.write('instance.yaml', ingressDeployment({ configuration: { redirectStatus: 301 } }))
    serving.write('web.yaml', service('web'), slice('web-1', 'web', await serving.backend('web-1')))
    const tls = [{ hosts: ['shop.example.com'], secretName: 'shop-tls' }]
    serving.write('ingress.yaml', ingress('shop', [{ host: 'shop.example.com', service: 'web' }], { tls }))
    await serving.start()
    expect(await serving.get(shop)).toMatchObject({ status: 301 })
    serving.write('instance.yaml', ingressDeployment({ configuration: { redirectStatus: 999 } }))
    await vi.waitFor(
      () => expect(serving.log.some(({ field }) => field === 'spec.configuration.redirectStatus')).toBe(true),
      patience,
    )
    expect(await serving.get(shop)).toMatchObject({ status: 301 })
    serving.write('instance.yaml', ingressDeployment({ configuration: { tlsRedirect: false } }))
    await vi.waitFor(async () => expect(await serving.get(shop)).toMatchObject({ status: 200 }), patience)
  })

  test('the ConfigMap of --configmap is obeyed live, with the keys of ingress-nginx', async () => {
    const configMap = (data: object): string =>
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'keys', namespace: 'shop' }, data })
    serving.write('keys.yaml', configMap({ 'http-redirect-code': '307' }))
    serving.write('secret.yaml', await tlsSecret('shop-tls', ['shop.example.com']))
    const tls = [{ hosts: ['shop.example.com'], secretName: 'shop-tls' }]
    serving.write('ingress.yaml', ingress('shop', [{ host: 'shop.example.com', service: 'web' }], { tls }))
    await serving.start('--configmap', 'shop/keys')
    expect(await serving.get(shop)).toMatchObject({ status: 307 })
    serving.write('keys.yaml', configMap({ 'http-redirect-code': '302' }))
    await vi.waitFor(async () => expect(await serving.get(shop)).toMatchObject({ status: 302 }), patience)
  })

  test('without a class to choose every Ingress is served, until there is one; --ingress-class decides before all', async () => {
    const web = await serving.backend('web')
    const ingresses = ['one', 'two'].map(name =>
      ingress(name, [{ host: `${name}.example.com`, service: 'web' }], { className: name }),
    )
    serving.write('all.yaml', service('web'), slice('web-1', 'web', web), ...ingresses)
    await serving.start()
    const statuses = async (): Promise<number[]> => [
      (await serving.get('http://one.example.com/')).status,
      (await serving.get('http://two.example.com/')).status,
    ]
    expect(await statuses()).toEqual([200, 200])
    const ingressClass = { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name: 'two' } }
    serving.write('class.yaml', JSON.stringify(ingressClass))
    await vi.waitFor(async () => expect(await statuses()).toEqual([404, 200]), patience)
    serving.remove('class.yaml')
    await vi.waitFor(async () => expect(await statuses()).toEqual([200, 200]), patience)

    await using flagged = new Serving()
    flagged.write('all.yaml', service('web'), slice('web-1', 'web', web), ...ingresses, ingressDeployment())
    await flagged.start('--ingress-class', 'one')
    expect((await flagged.get('http://one.example.com/')).status).toBe(200)
    expect((await flagged.get('http://two.example.com/')).status).toBe(404)
  })
})
