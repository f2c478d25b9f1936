import { parseArgs } from 'node:util'
import { startFakeServer } from './fake-server.ts'
import type { Scenario } from './fake-world.ts'

// npm run fake -w console -- --scenario trouble --production
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '4400' },
    scenario: { type: 'string', default: 'busy' },
    rate: { type: 'string', default: '12' },
    production: { type: 'boolean', default: false },
    locked: { type: 'boolean', default: false },
  },
})
const server = await startFakeServer({
  port: Number(values.port),
  scenario: values.scenario as Scenario,
  environment: values.production ? 'production' : 'development',
  eventsPerSecond: values.scenario === 'empty' ? 0 : Number(values.rate),
  locked: values.locked,
})
console.log(`Console of a fake film shop: ${server.url}/_/`)
