import { beforeEach } from 'vitest'
import { type Change, host, InProcess } from './in-process.ts'
import { RawBackend } from './raw-backend.ts'

export interface OneBackend {
  readonly backend: RawBackend
  readonly proxy: InProcess
}

/**
 * Each test gets a backend and a proxy of its own, with `a.test` routed to the backend as service `app`, unless the
 * table has other hosts for it. Both are closed after the test.
 */
export function withOneBackend(use: (one: OneBackend) => void, table: Omit<Change, 'backends'> = {}): void {
  beforeEach(async () => {
    const backend = await new RawBackend().start()
    const proxy = await new InProcess().start({ ...routedTo(backend), ...table })
    use({ backend, proxy })
    return async () => {
      await proxy.close()
      await backend.close()
    }
  })
}

/** Each test gets a backend of its own and starts its proxy by itself; both are closed after it. */
export function withOwnBackend(use: (backend: RawBackend) => void, proxy: () => InProcess): void {
  beforeEach(async () => {
    const backend = await new RawBackend().start()
    use(backend)
    return async () => {
      await proxy().close()
      await backend.close()
    }
  })
}

/** `a.test` routed to the backend as service `app`. */
export function routedTo(backend: RawBackend): Pick<Change, 'hosts' | 'backends'> {
  return { hosts: { 'a.test': host('a.test', 'app') }, backends: { app: [backend.port] } }
}
