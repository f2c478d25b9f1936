import { defineConfig } from 'vitest/config'

// Apps and servers killed at random under load: `npm run test:chaos`. CHAOS_ROUNDS and CHAOS_SEED choose how long and which.
export default defineConfig({
  resolve: { conditions: ['millrace:source'] },
  ssr: { resolve: { conditions: ['millrace:source'] } },
  test: {
    include: ['test/chaos/**/*.test.ts'],
    testTimeout: 3_600_000,
    fileParallelism: false,
  },
})
