import type { Sql } from '../store/sql.ts'
import type { Store } from '../store/store.ts'

/** Any number that never changes; processes of an app that start at once set up one after another. */
const setupLock = 6_411_904_219

export function runSetup(
  store: Store,
  setup: (context: { sql: Sql }) => Promise<unknown>,
  within: <T>(work: () => T) => T,
): Promise<void> {
  return store.transaction(async ({ sql }) => {
    await sql`select pg_advisory_xact_lock(${setupLock})`
    await within(() => setup({ sql }))
  })
}
