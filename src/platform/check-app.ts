import { silentLogger } from '../kernel/logger.ts'
import { openStore } from '../store/store.ts'
import { checkTable } from '../sync/compare-table.ts'
import { readLiveTables } from '../sync/live-table.ts'
import type { AppDefinition } from './app-definition.ts'
import type { StoreLocation } from './running-app.ts'

/**
 * Looks whether an app fits the tables that are there, on a Postgres that runs already, without changing anything. Tables
 * that are missing fit: they are made when the app starts.
 * @throws TABLE_MISMATCH, TABLE_KEYLESS
 */
export async function checkApp({ parts }: AppDefinition, location: StoreLocation): Promise<void> {
  const url = location.kind === 'url' ? (location.directUrl ?? location.url) : location.running?.url
  if (url === undefined || parts.tables.length === 0) return
  const store = openStore({ url, connections: 1, logger: silentLogger, applicationName: 'millrace check' })
  try {
    const live = await readLiveTables(store, parts.tables)
    for (const table of parts.tables) {
      const found = live.get(table.name)
      if (found !== undefined) checkTable(table, found)
    }
  } finally {
    await store.close()
  }
}
