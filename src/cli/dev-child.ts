import type { AppDefinition } from '../platform/app-definition.ts'
import { checkApp } from '../platform/check-app.ts'
import type { RunningApp, StoreLocation } from '../platform/running-app.ts'
import { startApp } from '../platform/start-app.ts'
import type { ChildStart, Order, Report } from './dev-messages.ts'
import type { AppPlace } from './find-app.ts'
import { loadApp } from './load-app.ts'
import { prepareLoading } from './load-module.ts'
import { humanLogger } from './loggers.ts'
import { Output } from './output.ts'
import { showError } from './shown-error.ts'

/** A process of `millrace dev` that runs one version of the app. It waits for orders, and ends with its supervisor. */

const stopMs = 4000
/** Our Postgres went with the supervisor: there is nothing to hand back to. */
const orphanStopMs = 500

let place: AppPlace | undefined
let definition: AppDefinition | undefined
let app: RunningApp | undefined
let stopping: Promise<void> | undefined

const report = (told: Report): void => {
  if (process.connected) process.send?.(told)
}

async function load(given: AppPlace, location: StoreLocation): Promise<void> {
  place = given
  definition = await loadApp(given)
  await checkApp(definition, location)
  report({ did: 'load', name: definition.name })
}

async function start({ logLevel, ...options }: ChildStart): Promise<void> {
  if (definition === undefined) return
  const out = new Output({ json: false, plain: process.env['NO_COLOR'] !== undefined, verbose: logLevel === 'debug' })
  app = await startApp(definition, {
    ...options,
    environment: 'development',
    logger: humanLogger(out, logLevel),
    onStep: (step) => report({ did: 'step', step }),
  })
  report({ did: 'start', url: app.url ?? '', consoleUrl: app.consoleUrl })
}

function stop(limitMs: number): Promise<void> {
  // Whatever hangs is ended all the same: the next version waits for this one's place.
  stopping ??= (async () => {
    setTimeout(() => process.exit(0), limitMs).unref()
    await app?.stop()
    process.exit(0)
  })()
  return stopping
}

const orders: { [D in Order['do']]: (order: Extract<Order, { do: D }>) => Promise<void> } = {
  load: (order) => load(order.place, order.location),
  start: (order) => start(order.options),
  stop: () => stop(stopMs),
}

process.on('message', (order: Order) => {
  const run = orders[order.do] as (order: Order) => Promise<void>
  run(order).catch((error: unknown) => report({ did: 'fail', error: showError(error, place?.folder) }))
})
process.on('disconnect', () => void stop(orphanStopMs))
// The terminal sends Ctrl-C to everyone in it; the supervisor tells us when it is our turn.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})

await prepareLoading()
