import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../machine/ports.ts'
import type { Processes } from '../machine/processes.ts'
import type { Contender, ProxySetup, RunningProxy } from './contender.ts'
import { programVersion } from './program-version.ts'
import { startProxy } from './start-proxy.ts'

export const nginx: Contender = {
  name: 'nginx',
  package: 'nginx',
  version: () => programVersion(['nginx', '-v'], /nginx\/(\S+)/),
  start: startNginx,
}

async function startNginx(setup: ProxySetup, processes: Processes): Promise<RunningProxy> {
  const { folder } = setup
  const [httpPort = 0, httpsPort = 0] = await freePorts(2)
  const accessLogFile = join(folder, 'access.log')
  writeFileSync(join(folder, 'tls.crt'), setup.keyPair.certificate)
  writeFileSync(join(folder, 'tls.key'), setup.keyPair.key, { mode: 0o600 })
  writeFileSync(join(folder, 'nginx.conf'), `${nginxMain(folder)}${http(setup, { httpPort, httpsPort })}`)
  const command = ['nginx', '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr', '-g', 'daemon off;']
  return startProxy({ name: 'nginx', command, httpPort, httpsPort, accessLogFile }, setup, processes)
}

/** What the backend of all contenders, which is nginx too, has in common with the contender. */
export function nginxMain(folder: string): string {
  for (const name of temporaryFolders) mkdirSync(join(folder, name), { recursive: true })
  return `${process.getuid?.() === 0 ? 'user root;\n' : ''}worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 8192; }
`
}

export const temporaryFolders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'] as const

export const temporaryPaths = temporaryFolders.map(name => `${name}_temp_path ${name};`).join('\n')

/** The default format of ingress-nginx. */
const logFormat = `log_format upstreaminfo '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
  '"$http_referer" "$http_user_agent" $request_length $request_time [shop-app-80] [] $upstream_addr '
  '$upstream_response_length $upstream_response_time $upstream_status $request_id';`

const tls = [
  'ssl_certificate tls.crt; ssl_certificate_key tls.key; ssl_protocols TLSv1.3;',
  'ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256; ssl_session_cache shared:tls:10m;',
].join(' ')

function http(setup: ProxySetup, ports: { readonly httpPort: number; readonly httpsPort: number }): string {
  const plain = `listen 127.0.0.1:${ports.httpPort}`
  // One server with TLS: each would have a context of its own in memory.
  const first = `${plain} backlog=4096; listen 127.0.0.1:${ports.httpsPort} ssl backlog=4096; ${tls}`
  return `http {
${temporaryPaths}
${logFormat}
access_log ${setup.accessLog ? 'access.log upstreaminfo buffer=64k flush=1s' : 'off'};
keepalive_requests 1000000000;
keepalive_timeout 1h;
client_max_body_size 0;
server_names_hash_max_size 65536;
server_names_hash_bucket_size 128;
map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
proxy_http_version 1.1;
proxy_max_temp_file_size 0;
proxy_request_buffering off;
proxy_read_timeout 1h;
proxy_set_header Host $host;
proxy_set_header Upgrade $http_upgrade;
proxy_set_header Connection $connection_upgrade;
proxy_set_header X-Request-ID $request_id;
proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Forwarded-Host $host;
proxy_set_header X-Forwarded-Port $server_port;
proxy_set_header X-Forwarded-Proto $scheme;
proxy_set_header X-Forwarded-Scheme $scheme;
proxy_set_header X-Scheme $scheme;
upstream app { ${setup.backendPorts.map(port => `server 127.0.0.1:${port};`).join(' ')} keepalive 320; keepalive_requests 1000000000; keepalive_timeout 1h; }
upstream sink { server 127.0.0.1:${setup.sinkPort}; keepalive 320; keepalive_requests 1000000000; keepalive_timeout 1h; }
${setup.hosts.map((host, index) => server(host, index === 0 ? first : `${plain};`, index === 0)).join('\n')}
}
`
}

function server(host: string, listen: string, hasSink: boolean): string {
  const sink = hasSink ? ['/upload', '/ws'].map(path => `location ${path} { proxy_pass http://sink; }`).join(' ') : ''
  return `server { ${listen} server_name ${host}; location / { proxy_pass http://app; } ${sink} }`
}
