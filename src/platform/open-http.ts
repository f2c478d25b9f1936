import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Gateway, openGateway } from '../gateway/gateway.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Metrics } from '../kernel/metrics.ts'
import type { Store } from '../store/store.ts'
import type { AdminPart } from './admin-of.ts'
import type { AppDefinition } from './app-definition.ts'
import type { Publisher } from './publisher.ts'
import type { StartOptions } from './running-app.ts'

export interface HttpDeps {
  definition: AppDefinition
  options: StartOptions
  platform: object
  metrics: Metrics
  logger: Logger
  store: Store
  publisher: Publisher
  admin: AdminPart
}

/** Serves the app's routes and the console; `undefined` when the app runs without HTTP. */
export async function openHttp({
  definition,
  options,
  publisher,
  admin,
  store,
  ...deps
}: HttpDeps): Promise<Gateway | undefined> {
  if (options.http === undefined) return undefined
  const { consoleToken: token, environment } = options
  return openGateway({
    title: definition.name,
    routes: definition.parts.routes,
    events: definition.parts.events,
    consumers: definition.parts.consumers,
    ...options.http,
    ...deps,
    tellFailures: environment === 'development',
    health: () => admin.health(),
    console: {
      folder: consoleFolder(),
      operations: admin.operations,
      live: admin.live,
      ...(token === undefined ? {} : { token }),
    },
    context: ({ id, traceparent }) => {
      const { publish, transaction } = publisher.from({
        correlation: id,
        ...(traceparent === undefined ? {} : { traceparent }),
      })
      return { sql: store.sql, publish, transaction }
    },
  })
}

/** Beside the compiled code; the sources use what was built last. */
function consoleFolder(): string {
  const built = join(import.meta.dirname, '../console')
  return existsSync(join(built, 'index.html')) ? built : join(import.meta.dirname, '../../dist/console')
}
