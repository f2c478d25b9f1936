// Builds what is stale, then runs `millrace` with the arguments, in this very process: a signal to `npm start` reaches it.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from './build.mjs'

const main = join(import.meta.dirname, '../dist/cli/main.js')
try {
  await build({ onlyStale: true })
} catch (error) {
  console.error(`build: ${error.message}`)
  process.exit(1)
}
process.argv[1] = main
await import(pathToFileURL(main).href)
