import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../machine/ports.ts'
import type { Processes } from '../machine/processes.ts'
import type { Contender, ProxySetup, RunningProxy } from './contender.ts'
import { programVersion } from './program-version.ts'
import { startProxy } from './start-proxy.ts'

export const haproxy: Contender = {
  name: 'haproxy',
  package: 'haproxy',
  version: () => programVersion(['haproxy', '-v'], /version (\S+)/),
  start: startHaproxy,
}

async function startHaproxy(setup: ProxySetup, processes: Processes): Promise<RunningProxy> {
  const { folder, keyPair } = setup
  const [httpPort = 0, httpsPort = 0] = await freePorts(2)
  writeFileSync(join(folder, 'tls.pem'), `${keyPair.certificate}${keyPair.key}`, { mode: 0o600 })
  writeFileSync(join(folder, 'hosts.map'), setup.hosts.map(host => `${host} app\n`).join(''))
  writeFileSync(join(folder, 'haproxy.cfg'), configuration(setup, { httpPort, httpsPort }))
  const command = ['haproxy', '-db', '-f', join(folder, 'haproxy.cfg')]
  return startProxy({ name: 'haproxy', command, httpPort, httpsPort }, setup, processes)
}

function configuration(setup: ProxySetup, ports: { readonly httpPort: number; readonly httpsPort: number }): string {
  const log = setup.accessLog ? '  log stdout format raw local0\n  option httplog\n' : ''
  return `global
  nbthread 1
  maxconn 4096
  ssl-default-bind-options ssl-min-ver TLSv1.3
  ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
defaults
  mode http
${log}  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
  timeout http-keep-alive 1h
  timeout connect 5s
  http-reuse always
frontend in
  bind 127.0.0.1:${ports.httpPort}
  bind 127.0.0.1:${ports.httpsPort} ssl crt tls.pem alpn http/1.1
  option forwardfor
  http-request set-header X-Request-ID %[uuid()]
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
  http-request set-header X-Forwarded-Scheme %[ssl_fc,iif(https,http)]
  http-request set-header X-Scheme %[ssl_fc,iif(https,http)]
  use_backend sink if { path_beg /upload /ws }
  use_backend %[req.hdr(host),field(1,:),lower,map(hosts.map,none)]
backend none
  http-request return status 404
backend app
${setup.backendPorts.map((port, index) => `  server app${index} 127.0.0.1:${port}`).join('\n')}
backend sink
  server sink 127.0.0.1:${setup.sinkPort}
`
}
