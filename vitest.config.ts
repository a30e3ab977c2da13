import { defineConfig } from 'vitest/config'

// One project a kind of test, so that `vitest --project unit` stays fast and integration owns the control plane.
export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // V8 up to Node 24 can abort with `Check failed: jit_page.has_value()` when threads come and go, as data workers
    // do in these tests by the hundred, on processors with protection keys.
    execArgv: ['--no-memory-protection-keys'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/integration/**',
            'test/e2e/**',
            'test/bench/**',
            'test/features/**',
            'test/soak/**',
            'test/attacks/**',
          ],
        },
      },
      { extends: true, test: { name: 'features', include: ['test/features/**/*.test.ts', 'test/soak/**/*.test.ts'] } },
      {
        extends: true,
        // One attack after the other: each is measured.
        test: {
          name: 'attacks',
          include: ['test/attacks/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: process.env['ATTACKS'] === 'full' ? 300_000 : 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/integration/control-plane.ts'],
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
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
