import { openEmbeddedPostgres } from '../adapters/embedded-postgres/open-embedded-postgres.ts'
import { checkPostgres, refuseUnsuitable } from '../adapters/postgres-check/check-postgres.ts'
import { PlatformError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import { forgetMembers } from '../store/member.ts'
import { migrate } from '../store/migrate.ts'
import { openStore, type Store } from '../store/store.ts'
import type { StoreLocation } from './running-app.ts'

export interface OpenedStore {
  store: Store
  /** What to tell people about it, without secrets. */
  description: string
  /** Closes the store, and the Postgres behind it when it is ours. */
  close(): Promise<void>
}

export interface OpenStoreOptions {
  location: StoreLocation
  connections: number
  logger: Logger
  applicationName: string
  /** The replication slot of the app. */
  slot: string
}

/** Opens the Postgres of an app: starts our own or checks the given one. */
export async function openPlatformStore(options: OpenStoreOptions): Promise<OpenedStore> {
  const { location, connections, logger, applicationName } = options
  if (location.kind === 'url') {
    const { url, directUrl } = location
    const pooled = new URL(url).searchParams.get('pgbouncer') === 'true'
    if (pooled && directUrl === undefined && options.slot !== '') throw needsDirect()
    const findings = await checkPostgres(directUrl ?? url, { slot: options.slot })
    refuseUnsuitable(findings)
    for (const finding of findings) if (finding.level === 'warning') logger.warn({ mend: finding.mend }, finding.what)
    const pooler = pooled ? { pooler: { url, sessions: directUrl !== undefined } } : {}
    const store = openStore({ url: directUrl ?? url, ...pooler, connections, logger, applicationName })
    return { store, description: 'the Postgres of DATABASE_URL', close: () => store.close() }
  }
  const { directory, fast = false, running } = location
  const postgres = running ?? (await openEmbeddedPostgres({ directory, logger, fast }))
  const store = openStore({ url: postgres.url, connections, logger, applicationName })
  return {
    store,
    description: `Postgres ${postgres.version}, embedded, ${directory}, 127.0.0.1:${postgres.port}`,
    async close() {
      await store.close()
      if ('close' in postgres) await postgres.close()
    },
  }
}

function needsDirect(): PlatformError {
  return new PlatformError('STORE_UNSUITABLE', 'tables are captured by replication, which goes through no PgBouncer', {
    hint: 'Set DIRECT_URL to the address of the Postgres behind it.',
  })
}

/**
 * Brings the schema up to date. Behind an embedded Postgres nobody else is alive: duties of a process that was killed
 * are free at once instead of after a TTL.
 */
export async function prepareSchema(store: Store, location: StoreLocation): Promise<string[]> {
  const applied = await migrate(store)
  if (location.kind === 'embedded') await forgetMembers(store)
  return applied
}
