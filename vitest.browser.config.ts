import { defineConfig } from 'vitest/config'

// The console in a real Chromium: `npm run test:browser`. CHROMIUM_PATH names the browser where it is not found.
export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    globalSetup: ['test/browser/build.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // One browser at a time: the machine is shared with Postgres.
    fileParallelism: false,
  },
})
