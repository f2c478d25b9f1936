import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['millrace:source'] },
  ssr: { resolve: { conditions: ['millrace:source'] } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'console/src/**/*.test.ts'],
    exclude: ['test/browser/**', 'test/chaos/**', '**/node_modules/**'],
    globalSetup: ['test/support/test-servers.ts'],
    setupFiles: ['test/support/use-test-server.ts'],
    // Generous, for machines that stand still for a while: what waits for good is found all the same.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
  },
})
