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
    const proxy = await new InProcess().start({
      hosts: { 'a.test': host('a.test', 'app') },
      ...table,
      backends: { app: [backend.port] },
    })
    use({ backend, proxy })
    return async () => {
      await proxy.close()
      await backend.close()
    }
  })
}
