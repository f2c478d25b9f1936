import { parseArgs } from 'node:util'
import { changes } from './changes/changes.ts'
import { events } from './events/events.ts'
import { jobs } from './jobs/jobs.ts'
import { log } from './log/log.ts'
import { type Report, say } from './report.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '10' },
    millions: { type: 'string', default: '10' },
    minutes: { type: 'string', default: '1' },
  },
})
const logOptions = { millions: Number(values.millions), idleSeconds: Number(values.minutes) * 60 }
const benches: Record<string, (seconds: number) => Promise<Report>> = {
  events,
  changes,
  jobs,
  log: (seconds) => log(seconds, logOptions),
}
const chosen = positionals.length === 0 ? Object.keys(benches) : positionals
for (const name of chosen) {
  const bench = benches[name]
  if (bench === undefined) {
    say(`There is no bench "${name}". Known: ${Object.keys(benches).join(', ')}.`)
    process.exit(2)
  }
  const result = await bench(Number(values.seconds)).catch((error: unknown) => {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error))
    process.exit(1)
  })
  process.stdout.write(`${JSON.stringify(result)}\n`)
}
process.exit(0)
