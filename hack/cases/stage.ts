import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { IssuedKeyPair } from '../../src/certificates/generate.ts'
import { type Temper, writeManifests } from './manifests.ts'
import type { Listener } from './raw-client.ts'
import { Recorder } from './recorder.ts'
import { ServedProxy } from './served-proxy.ts'

export interface StageOptions {
  readonly temper: Temper
  readonly keyPair: IssuedKeyPair
}

/** A proxy with upstreams of its own: cases on one stage run one after another. */
export class Stage {
  readonly recorder = new Recorder()
  readonly #folder: string
  readonly #options: StageOptions
  #proxy: ServedProxy | undefined

  private constructor(options: StageOptions) {
    this.#options = options
    this.#folder = mkdtempSync(join(tmpdir(), 'ingress-fleet-cases-'))
  }

  static async start(options: StageOptions): Promise<Stage> {
    const stage = new Stage(options)
    try {
      await stage.recorder.start()
      const ports = { recorder: stage.recorder.port('recorder'), other: stage.recorder.port('other') }
      writeManifests(stage.#folder, { ports, keyPair: options.keyPair, temper: options.temper })
      await stage.startProxy()
      return stage
    } catch (error) {
      await stage.close()
      throw error
    }
  }

  listener(name: 'clear' | 'tls'): Listener {
    const proxy = this.#running
    return {
      name,
      port: name === 'clear' ? proxy.httpPort : proxy.httpsPort,
      certificate: this.#options.keyPair.certificate,
    }
  }

  /** Fresh upstreams, and a proxy that still runs. */
  async reset(): Promise<void> {
    await this.recorder.accept()
    await this.recorder.reset()
    if (!this.#running.running) await this.startProxy()
  }

  async startProxy(): Promise<void> {
    this.#proxy = await ServedProxy.start(this.#folder)
  }

  /** Why the proxy is gone; a case that ended it has failed. */
  get crash(): string | undefined {
    return this.#running.running ? undefined : `the proxy ended: ${this.#running.lastOutput}`
  }

  async close(): Promise<void> {
    await this.recorder.close()
    await this.#proxy?.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #running(): ServedProxy {
    if (this.#proxy === undefined) throw new Error('the proxy of this stage is not started')
    return this.#proxy
  }
}
