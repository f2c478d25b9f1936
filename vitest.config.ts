import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['millrace:source'] },
  ssr: { resolve: { conditions: ['millrace:source'] } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'examples/*/test/**/*.test.ts', 'console/src/**/*.test.ts'],
    exclude: ['test/browser/**', 'test/chaos/**', '**/node_modules/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
})
