import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../machine/ports.ts'
import type { Processes } from '../machine/processes.ts'
import type { Contender, ProxySetup, RunningProxy } from './contender.ts'
import { programVersion } from './program-version.ts'
import { startProxy } from './start-proxy.ts'

export const caddy: Contender = {
  name: 'caddy',
  package: 'caddy',
  version: () => programVersion(['caddy', 'version'], /^v?(\d\S*)/),
  start: startCaddy,
}

async function startCaddy(setup: ProxySetup, processes: Processes): Promise<RunningProxy> {
  const { folder, keyPair } = setup
  const [httpPort = 0, httpsPort = 0] = await freePorts(2)
  writeFileSync(join(folder, 'tls.crt'), keyPair.certificate)
  writeFileSync(join(folder, 'tls.key'), keyPair.key, { mode: 0o600 })
  const file = join(folder, 'Caddyfile')
  writeFileSync(file, configuration(setup, { httpPort, httpsPort }))
  const command = ['caddy', 'run', '--adapter', 'caddyfile', '--config', file]
  const environment = { GOMAXPROCS: '1', HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  return startProxy({ name: 'caddy', command, environment, httpPort, httpsPort }, setup, processes)
}

/** All hosts of a listener are one site, which Caddy finds by binary search; a site a host would be searched in line. */
function configuration(setup: ProxySetup, ports: { readonly httpPort: number; readonly httpsPort: number }): string {
  const names = (scheme: string, port: number): string =>
    setup.hosts.map(host => `${scheme}://${host}:${port}`).join(', ')
  const [first = ''] = setup.hosts
  return `{
  admin off
  auto_https off
  log {
    level WARN
  }
  servers {
    protocols h1
  }
}
(proxied) {
  bind 127.0.0.1
  handle /upload* {
    ${reverseProxy([setup.sinkPort])}
  }
  handle /ws* {
    ${reverseProxy([setup.sinkPort])}
  }
  handle {
    ${reverseProxy(setup.backendPorts)}
  }
}
${names('http', ports.httpPort)} {
  import proxied
}
https://${first}:${ports.httpsPort} {
  tls tls.crt tls.key {
    protocols tls1.3
  }
  import proxied
}
`
}

function reverseProxy(ports: readonly number[]): string {
  return `reverse_proxy ${ports.map(port => `127.0.0.1:${port}`).join(' ')} {
      lb_policy round_robin
      header_up X-Request-ID {http.request.uuid}
      header_up X-Real-IP {http.request.remote.host}
      header_up X-Forwarded-Port 80
      header_up X-Forwarded-Scheme {http.request.scheme}
      header_up X-Scheme {http.request.scheme}
      transport http {
        versions 1.1
        compression off
        keepalive 1h
        keepalive_idle_conns 1024
        keepalive_idle_conns_per_host 320
      }
    }`
}
