import { describe, expect, test } from 'vitest'
import type { Service } from '../../src/api/kubernetes.ts'
import { backendOf, bench, drop, endpoints, ingress, put, ready, rule, service, slice, terminating } from './objects.ts'

const to = (port: number | string, name = 'web'): ReturnType<typeof ingress> =>
  ingress({
    name,
    rules: [rule(`${name}.example`, { path: '/', pathType: 'Prefix', backend: backendOf('app', port) })],
  })

const external = (externalName: string, ports: NonNullable<Service['spec']>['ports'] = []): Service =>
  service('app', ports, { type: 'ExternalName', externalName })

describe('which endpoints a backend has', () => {
  test('those of the port with the name of the Service port, by number or by name', () => {
    const objects = [
      service('app', [
        { name: 'http', port: 80, targetPort: 'web' },
        { name: 'admin', port: 81, targetPort: 9000 },
        { name: 'dns', port: 53, protocol: 'UDP' },
      ]),
      slice('app', [ready('10.0.0.1')], {
        ports: [
          { name: 'http', port: 8080, protocol: 'TCP' },
          { name: 'admin', port: 9000 },
          { name: 'dns', port: 53, protocol: 'UDP' },
        ],
      }),
    ]
    const { table, reasons } = bench([to(80, 'number'), to('admin', 'name'), to(53, 'udp'), ...objects])
    expect(endpoints(table, 'shop/app/80')).toEqual(['10.0.0.1:8080'])
    expect(endpoints(table, 'shop/app/admin')).toEqual(['10.0.0.1:9000'])
    expect(endpoints(table, 'shop/app/53')).toEqual([])
    expect(reasons()).toEqual(['PortNotFound shop/udp spec.rules[0].http.paths[0].backend'])
  })

  test('a target port is not a port of the Service', () => {
    const { reasons } = bench([to(8080), service('app', [{ port: 80, targetPort: 8080 }])])
    expect(reasons()).toEqual(['PortNotFound shop/web spec.rules[0].http.paths[0].backend'])
  })

  test('all slices count, each address once, in one order', () => {
    const { table } = bench([
      to(80),
      service('app'),
      slice('app', [ready('10.0.0.3'), ready('10.0.0.1')], { name: 'b' }),
      slice('app', [ready('10.0.0.2', '10.0.0.1')], { name: 'a' }),
      slice('app', [ready('2001:db8::1')], { name: 'c', addressType: 'IPv6' }),
      slice('other', [ready('10.9.9.9')]),
    ])
    expect(endpoints(table, 'shop/app/80')).toEqual([
      '10.0.0.1:8080',
      '10.0.0.2:8080',
      '10.0.0.3:8080',
      '2001:db8::1:8080',
    ])
  })

  test('the ready ones; a state that is not known counts as ready', () => {
    const unknown = { addresses: ['10.0.0.2'] }
    const none = { addresses: ['10.0.0.3'], conditions: { ready: null } }
    const not = { addresses: ['10.0.0.4'], conditions: { ready: false } }
    const { table } = bench([
      to(80),
      service('app'),
      slice('app', [ready('10.0.0.1'), unknown, none, not, terminating('10.0.0.5')]),
    ])
    expect(endpoints(table, 'shop/app/80')).toEqual(['10.0.0.1:8080', '10.0.0.2:8080', '10.0.0.3:8080'])
  })

  test('terminating ones that still serve, only when no ready one is left', () => {
    const gone = { addresses: ['10.0.0.9'], conditions: { ready: false, serving: false, terminating: true } }
    const starting = { addresses: ['10.0.0.8'], conditions: { ready: false, serving: true, terminating: false } }
    const { table, apply } = bench([to(80), service('app'), slice('app', [terminating('10.0.0.5'), gone, starting])])
    expect(endpoints(table, 'shop/app/80')).toEqual(['10.0.0.5:8080'])
    apply(put(slice('app', [ready('10.0.0.1')], { name: 'app-2' })))
    expect(endpoints(table, 'shop/app/80')).toEqual(['10.0.0.1:8080'])
  })

  test('slices of a headless Service work the same, without ports by the target port', () => {
    const headless = service('app', [{ port: 80, targetPort: 7000 }], { clusterIP: 'None' })
    const { table } = bench([to(80), headless, slice('app', [ready('10.0.0.1')], { ports: null })])
    expect(endpoints(table, 'shop/app/80')).toEqual(['10.0.0.1:7000'])
  })

  test('a slice that moves to another Service leaves the first', () => {
    const { table, apply } = bench([to(80), service('app'), slice('app', [ready('10.0.0.1')])])
    apply(put(slice('other', [ready('10.0.0.1')], { name: 'app-1' })))
    expect(endpoints(table, 'shop/app/80')).toEqual([])
  })

  test('the zone of an endpoint comes along', () => {
    const { table } = bench([to(80), service('app'), slice('app', [{ ...ready('10.0.0.1'), zone: 'west' }])])
    expect(table.backend('shop/app/80')?.endpoints).toEqual([{ address: '10.0.0.1', port: 8080, zone: 'west' }])
  })
})

describe('backends without endpoints', () => {
  test('a missing Service is a problem of each Ingress that wants it, resolved when it comes', () => {
    const { apply, reasons, table } = bench([to(80), to(80, 'too')])
    expect(table.backend('shop/app/80')?.endpoints).toEqual([])
    expect(reasons()).toEqual([
      'ServiceNotFound shop/too spec.rules[0].http.paths[0].backend',
      'ServiceNotFound shop/web spec.rules[0].http.paths[0].backend',
    ])
    const { problems } = apply(put(service('app')))
    expect(problems.resolved).toHaveLength(2)
    expect(reasons()).toEqual([])
    expect(apply(drop(service('app'))).problems.added).toHaveLength(2)
  })

  test('a Service whose pods are not ready is no problem', () => {
    const { reasons, table } = bench([
      to(80),
      service('app'),
      slice('app', [{ addresses: ['10.0.0.1'], conditions: { ready: false } }]),
    ])
    expect(reasons()).toEqual([])
    expect(table.backend('shop/app/80')?.endpoints).toEqual([])
  })

  test('a backend goes when the last Ingress that wants it goes', () => {
    const { apply, table } = bench([to(80), to(80, 'too'), service('app')])
    apply(drop(to(80)))
    expect(table.backend('shop/app/80')).toBeDefined()
    apply(drop(to(80, 'too')))
    expect(table.backend('shop/app/80')).toBeUndefined()
    expect(table.counts).toEqual({ hosts: 0, routes: 0, backends: 0, certificates: 0 })
  })
})

describe('addresses that lead back to the node of the proxy', () => {
  test('loopback is refused with a problem, unless it is allowed', () => {
    const objects = [
      to(80),
      service('app'),
      slice('app', [ready('127.0.0.1'), ready('10.0.0.1'), ready('169.254.169.254')]),
    ]
    const { table, reasons, reconfigure } = bench(objects)
    expect(endpoints(table, 'shop/app/80')).toEqual(['10.0.0.1:8080'])
    expect(reasons()).toEqual(['EndpointRefused shop/web spec.rules[0].http.paths[0].backend'])
    reconfigure({ allowLoopbackEndpoints: true })
    expect(endpoints(table, 'shop/app/80')).toEqual(['10.0.0.1:8080', '127.0.0.1:8080'])
  })

  test('a slice of names is not followed', () => {
    const { table } = bench([to(80), service('app'), slice('app', [ready('localhost')], { addressType: 'FQDN' })])
    expect(endpoints(table, 'shop/app/80')).toEqual([])
  })
})

describe('a Service of type ExternalName', () => {
  test('is one endpoint: its name and the port of the Ingress', () => {
    const { table, reasons } = bench([to(8443), external('API.Example.com.')])
    expect(endpoints(table, 'shop/app/8443')).toEqual(['api.example.com:8443'])
    expect(reasons()).toEqual([])
  })

  test('a port of the Service, when it has one, leads to its target port', () => {
    const { table } = bench([to('web'), external('api.example.com', [{ name: 'web', port: 80, targetPort: 8080 }])])
    expect(endpoints(table, 'shop/app/web')).toEqual(['api.example.com:8080'])
  })

  test('a port that is no number is refused', () => {
    const { table, reasons } = bench([to('web'), external('api.example.com')])
    expect(endpoints(table, 'shop/app/web')).toEqual([])
    expect(reasons()).toEqual(['PortNotFound shop/web spec.rules[0].http.paths[0].backend'])
  })

  test.each([
    'localhost',
    'x.localhost',
    '127.0.0.1',
    '169.254.169.254',
    '0.0.0.0',
    'metadata.google.internal',
    '2130706433',
    '',
  ])('the name %j is refused, also where loopback endpoints are allowed', name => {
    const { table, reasons } = bench([to(80), external(name)], { allowLoopbackEndpoints: true })
    expect(endpoints(table, 'shop/app/80')).toEqual([])
    expect(reasons()).toEqual(['ExternalNameRefused shop/web spec.rules[0].http.paths[0].backend'])
  })

  test('slices of it are not used, and a change of type takes effect', () => {
    const { table, apply } = bench([to(80), external('api.example.com'), slice('app', [ready('10.0.0.1')])])
    expect(endpoints(table, 'shop/app/80')).toEqual(['api.example.com:80'])
    apply(put(service('app')))
    expect(endpoints(table, 'shop/app/80')).toEqual(['10.0.0.1:8080'])
  })
})

describe('hints of zones', () => {
  const hinted = (address: string, ...zones: string[]): ReturnType<typeof ready> => ({
    ...ready(address),
    hints: { forZones: zones.map(name => ({ name })) },
  })
  const used = (zone: string | undefined, ...slices: (readonly ReturnType<typeof ready>[])[]): readonly string[] => {
    const objects = slices.map((list, index) => slice('app', list, { name: `app-${index}` }))
    const { table, translator } = bench([to(80), service('app'), ...objects])
    const { delta } = translator.reconfigure({ zone })
    if (delta !== undefined) table.apply(delta)
    const all = endpoints(table, 'shop/app/80') ?? []
    const near = table.backend('shop/app/80')?.near
    return near === undefined ? all : all.filter((_, index) => near.includes(index))
  }

  test('take no endpoint away: sessions and hashes lead to every zone', () => {
    const { table, translator } = bench([
      to(80),
      service('app'),
      slice('app', [hinted('10.0.0.1', 'west'), hinted('10.0.0.2', 'east')]),
    ])
    const { delta } = translator.reconfigure({ zone: 'east' })
    if (delta !== undefined) table.apply(delta)
    expect(endpoints(table, 'shop/app/80')).toEqual(['10.0.0.1:8080', '10.0.0.2:8080'])
    expect(table.backend('shop/app/80')?.near).toEqual([1])
  })

  test('keep traffic in the zone of the proxy', () => {
    expect(used('east', [hinted('10.0.0.1', 'east'), hinted('10.0.0.2', 'west')])).toEqual(['10.0.0.1:8080'])
    expect(used('east', [hinted('10.0.0.1', 'west', 'east')], [hinted('10.0.0.2', 'west')])).toEqual(['10.0.0.1:8080'])
  })

  test('count for nothing where the proxy does not know its zone', () => {
    const all = ['10.0.0.1:8080', '10.0.0.2:8080']
    expect(used(undefined, [hinted('10.0.0.1', 'east'), hinted('10.0.0.2', 'west')])).toEqual(all)
  })

  test('count for nothing when one ready endpoint has none, or none is for the zone', () => {
    const all = ['10.0.0.1:8080', '10.0.0.2:8080']
    expect(used('east', [hinted('10.0.0.1', 'east'), ready('10.0.0.2')])).toEqual(all)
    expect(used('east', [hinted('10.0.0.1', 'east')], [ready('10.0.0.2')])).toEqual(all)
    expect(used('east', [hinted('10.0.0.1', 'east'), hinted('10.0.0.2')])).toEqual(all)
    expect(used('east', [hinted('10.0.0.1', 'west'), hinted('10.0.0.2', 'north')])).toEqual(all)
  })

  test('are not looked for on endpoints that are not ready', () => {
    const list = [hinted('10.0.0.1', 'east'), hinted('10.0.0.2', 'west'), terminating('10.0.0.3')]
    expect(used('east', list)).toEqual(['10.0.0.1:8080'])
    expect(used('east', [{ ...hinted('10.0.0.1', 'east'), conditions: { ready: false } }, ready('10.0.0.2')])).toEqual([
      '10.0.0.2:8080',
    ])
  })

  test('leave the endpoints of other zones when those of this one are not allowed', () => {
    expect(used('east', [hinted('127.0.0.1', 'east'), hinted('10.0.0.2', 'west')])).toEqual(['10.0.0.2:8080'])
  })
})
