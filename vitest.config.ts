import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** vitest itself would leave one free, which of two is half the machine. */
const cores = availableParallelism()

// One project a kind of test, so that `vitest --project unit` stays fast and integration owns the control plane.
export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // V8 up to Node 24 can abort with `Check failed: jit_page.has_value()` when threads come and go, as data workers
    // do in these tests by the hundred, on processors with protection keys.
    execArgv: ['--no-memory-protection-keys'],
    // The program is started hundreds of times, as processes and as threads: what Node made of the same source before
    // (types stripped, compiled) need not be made again. Node compares the source, not its date.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.compile-cache') },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          maxWorkers: cores,
          sequence: { groupOrder: 1 },
          include: ['test/**/*.test.ts'],
          exclude: ['test/integration/**', 'test/e2e/**', 'test/features/**', 'test/soak/**', 'test/attacks/**'],
        },
      },
      {
        extends: true,
        test: {
          name: 'features',
          include: ['test/features/**/*.test.ts'],
          // They wait about as long as they compute.
          maxWorkers: Math.ceil(cores * 1.5),
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        // One after the other: a client that gets no processor for a second uses a connection whose end it has not seen.
        test: {
          name: 'soak',
          include: ['test/soak/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        // One attack after the other: each is measured.
        test: {
          name: 'attacks',
          include: ['test/attacks/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 4 },
          testTimeout: process.env['ATTACKS'] === 'full' ? 300_000 : 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/integration/control-plane.ts'],
          // Each file of the operator has a control plane of its own, which computes, too.
          maxWorkers: cores,
          sequence: { groupOrder: 5 },
          testTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/e2e/cluster.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 6 },
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
