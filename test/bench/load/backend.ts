import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nginxMain, temporaryPaths } from '../contenders/nginx.ts'
import { startProxy } from '../contenders/start-proxy.ts'
import { freePorts } from '../machine/ports.ts'
import type { Processes } from '../machine/processes.ts'

export interface Backend {
  /** Three endpoints, all of one process. */
  readonly ports: readonly number[]
  readonly stop: () => Promise<void>
}

/** What the backend serves besides `/`, which is a short text. */
export const backendFiles = { '/files/100k': 102_400, '/files/1m': 1_048_576 } as const

/** `/echo` answers with the X-Bench-Id of its request first, so that an answer can be told from another. */
export const echoPath = '/echo'

const smallBody = 'hello from backend, a body of some sixty-four bytes or so......\\n'

/** The backend of all contenders: nginx, on the processor of the load. */
export async function startBackend(folder: string, core: number, processes: Processes): Promise<Backend> {
  const [one = 0, other = 0, third = 0] = await freePorts(3)
  mkdirSync(join(folder, 'files'), { recursive: true })
  for (const [path, bytes] of Object.entries(backendFiles)) writeFileSync(join(folder, path), Buffer.alloc(bytes, 'x'))
  const listen = [one, other, third].map(port => `listen 127.0.0.1:${port} backlog=4096;`).join(' ')
  const configuration = `${nginxMain(folder)}http {
${temporaryPaths}
access_log off;
keepalive_requests 1000000000;
keepalive_timeout 1h;
sendfile on;
tcp_nopush on;
open_file_cache max=10;
default_type text/plain;
server {
  ${listen}
  location / { return 200 "${smallBody}"; }
  location ${echoPath} { return 200 "$http_x_bench_id of these sixty-four bytes the first twelve tell the id\\n"; }
  location /files/ { root ${folder}; }
}
}
`
  writeFileSync(join(folder, 'nginx.conf'), configuration)
  const command = ['nginx', '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr', '-g', 'daemon off;']
  const program = { name: 'nginx', command, httpPort: one, httpsPort: third } as const
  const running = await startProxy(program, { folder, core }, processes)
  return { ports: [one, other, third], stop: running.stop }
}
