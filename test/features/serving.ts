import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, request as requestHttp, type Server } from 'node:http'
import { request as requestHttps } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'

const entry = join(import.meta.dirname, '../../src/cli/entry.ts')

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Common name of the certificate that was served; empty without TLS. */
  readonly certificateName: string
}

interface LogLine {
  readonly level: string
  readonly msg: string
  readonly [field: string]: unknown
}

/** `ingress-fleet serve` as a process of its own on a folder of its own, with every port a free one. */
export class Serving implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'ingress-fleet-serve-'))
  readonly log: LogLine[] = []
  readonly #servers: Server[] = []
  #child: ChildProcess | undefined
  #output = ''
  #pendingLog = ''
  #exit: Promise<number | string> | undefined

  /** Writes a file as careful programs do: whole, beside, then renamed into place. */
  write(name: string, ...documents: readonly string[]): void {
    writeFileSync(join(this.folder, `.${name}.new`), documents.join('\n---\n'))
    renameSync(join(this.folder, `.${name}.new`), join(this.folder, name))
  }

  remove(name: string): void {
    unlinkSync(join(this.folder, name))
  }

  /** A backend that answers with its name, the method and the target. Gives its port. */
  async backend(name: string, handle?: Parameters<typeof createServer>[1]): Promise<number> {
    const server = createServer(
      handle ??
        ((request, response) => {
          request.resume()
          response.end(`${name} ${request.method} ${request.url}`)
        }),
    )
    this.#servers.push(server)
    await new Promise<void>(resolve => {
      server.listen(0, '127.0.0.1', resolve)
    })
    return (server.address() as AddressInfo).port
  }

  /** Resolves when it says where it listens, which it does when the first table is served. */
  async start(...options: readonly string[]): Promise<void> {
    const ports = ['--http-port', '0', '--https-port', '0', '--admin-port', '0', '--workers', '2']
    const child = fork(entry, ['serve', '-f', this.folder, ...ports, ...options], { silent: true })
    this.#child = child
    this.#exit = new Promise(resolve => {
      child.once('exit', (code, signal) => resolve(code ?? signal ?? ''))
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#takeLog(text))
    await new Promise<void>((resolve, reject) => {
      child.once('exit', code => reject(new Error(`serve ended with code ${code}: ${JSON.stringify(this.log)}`)))
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text
        if (/^dashboard .*\n/m.test(this.#output)) resolve()
      })
    })
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  url(name: 'HTTP' | 'HTTPS' | 'dashboard'): URL {
    return new URL(new RegExp(`^${name} +(\\S+)$`, 'm').exec(this.#output)?.[1] ?? '')
  }

  /** One request on a connection of its own: `http://shop.example.com/cart` goes to the proxy, with that name. */
  async get(url: string): Promise<Answer> {
    const { protocol, host, pathname, search } = new URL(url)
    const { port } = this.url(protocol === 'https:' ? 'HTTPS' : 'HTTP')
    return ask({ protocol, port, path: `${pathname}${search}`, host })
  }

  async getAdmin(path: string): Promise<Answer> {
    const { port, host } = this.url('dashboard')
    return ask({ protocol: 'http:', port, path, host })
  }

  /** Does anything listen on this address at the port for plain HTTP? */
  async listensOn(address: string): Promise<boolean> {
    return new Promise(resolve => {
      const socket = connect({ host: address, port: Number(this.url('HTTP').port) })
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
      socket.once('close', () => socket.destroy())
      socket.once('connect', () => socket.end())
    })
  }

  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** The exit code, or the signal that ended it. */
  async exited(): Promise<number | string> {
    return this.#exit ?? ''
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#exit
    for (const server of this.#servers) {
      server.close()
      server.closeAllConnections()
    }
    rmSync(this.folder, { recursive: true })
  }

  #takeLog(text: string): void {
    const lines = `${this.#pendingLog}${text}`.split('\n')
    this.#pendingLog = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('{')) this.log.push(JSON.parse(line) as LogLine)
  }
}

interface Question {
  readonly protocol: string
  readonly port: string
  readonly path: string
  readonly host: string
}

async function ask({ protocol, port, path, host }: Question): Promise<Answer> {
  const isTls = protocol === 'https:'
  const tls = isTls ? { servername: host, rejectUnauthorized: false } : {}
  const options = { host: '127.0.0.1', port, path, agent: false as const, headers: { host }, ...tls }
  return new Promise((resolve, reject) => {
    const request = (isTls ? requestHttps : requestHttp)(options, response => {
      const name = isTls ? (response.socket as TLSSocket).getPeerCertificate().subject?.CN : undefined
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      response.on('error', reject)
      response.on('end', () => {
        const certificateName = String(name ?? '')
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, certificateName })
      })
    })
    request.on('error', reject)
    request.end()
  })
}
