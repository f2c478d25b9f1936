import type { TableDefinition } from '../events/table.ts'
import { PlatformError } from '../kernel/errors.ts'
import { type Store, sqlState } from '../store/store.ts'
import type { LiveTable } from './live-table.ts'

/** SQLSTATE lock_not_available. */
const lockNotAvailable = '55P03'

/** Altering a table locks it against everybody: it must not queue for long, since all others queue behind it. */
const lockTimeoutMs = 250

/**
 * Has Postgres log enough of a row before its change: all of it where changes carry `before`, else the key. An identity
 * that was chosen for somebody else is only ever widened. Partitions have their own.
 * @throws CAPTURE_FAILED while the table is in use
 */
export async function widenReplicaIdentity(store: Store, table: TableDefinition, live: LiveTable): Promise<void> {
  const enough = table.before ? ['f'] : ['d', 'f']
  if (live.replicaIdentities.every((identity) => enough.includes(identity))) return
  const parts = await store.sql<{ name: string; identity: string }>`
    select format('%I.%I', n.nspname, c.relname) as name, c.relreplident as identity
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.oid = ${live.oid} or c.oid in (select relid from pg_partition_tree(${live.oid}::oid))`
  for (const { name, identity } of parts) {
    if (enough.includes(identity)) continue
    await alter(store, `alter table ${name} replica identity ${!table.before && identity === 'n' ? 'default' : 'full'}`)
  }
}

async function alter(store: Store, statement: string): Promise<void> {
  try {
    await store.transaction(async (tx) => {
      await tx.sql`select set_config('lock_timeout', ${String(lockTimeoutMs)}, true)`
      await tx.sql.query(statement)
    })
  } catch (cause) {
    if (sqlState(cause) !== lockNotAvailable) throw cause
    throw new PlatformError('CAPTURE_FAILED', `the table is in use, so this must wait: ${statement}`, {
      cause,
      hint: 'It is tried again; or run it when nobody uses the table.',
    })
  }
}
