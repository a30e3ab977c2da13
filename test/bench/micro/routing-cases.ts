import type { Delta, Host, Route } from '../../../src/routing/model.ts'
import { RoutingTable } from '../../../src/routing/table.ts'
import type { MicroCase } from './micro-case.ts'

/** Each call asks for another host, spread over all of them. */
const stride = 7919

export function routingCases(): readonly MicroCase[] {
  return [10, 10_000].map(count => {
    const table = tableOf(count)
    const names = Array.from({ length: count }, (_, index) => nameOf((index * stride) % count))
    return {
      name: `RoutingTable.find, ${count} hosts`,
      call: index => table.find(names[index % count] ?? '', '/cart/items/17'),
    }
  })
}

function tableOf(count: number): RoutingTable {
  const hosts = new Map(Array.from({ length: count }, (_, index) => [nameOf(index), hostOf(nameOf(index))] as const))
  const delta: Delta = { revision: 1, hosts, backends: new Map(), certificates: new Map() }
  const table = new RoutingTable()
  table.apply(delta)
  return table
}

function nameOf(index: number): string {
  return `host-${index}.bench.example`
}

function hostOf(name: string): Host {
  const routes = ['/', '/cart', '/cart/items'].map(path => routeOf(name, path))
  return { name, routes, defaultRoute: undefined, tls: false, certificate: undefined }
}

function routeOf(host: string, path: string): Route {
  return {
    id: `shop/web/${host}/prefix${path}`,
    path,
    match: 'prefix',
    ingress: { namespace: 'shop', name: 'web' },
    backend: 'shop/app/80',
    refusal: undefined,
    options: {},
  }
}
