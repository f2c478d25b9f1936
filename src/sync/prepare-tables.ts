import type { TableDefinition } from '../events/table.ts'
import { PlatformError } from '../kernel/errors.ts'
import type { Store, Transaction } from '../store/store.ts'
import { checkTable } from './compare-table.ts'
import { declaredColumns } from './declared-column.ts'
import { type LiveTable, readLiveTables } from './live-table.ts'
import { quotePart, quoteTable, tableName } from './table-name.ts'

/** Any number will do as long as it never changes: processes that start at once prepare one after another. */
const prepareLock = 6_411_904_219

/**
 * Creates the tables that are missing, and refuses those that cannot be followed as declared. With `create: false` a
 * missing table is refused too.
 * @returns the tables as they stand, by declared name
 * @throws TABLE_KEYLESS, TABLE_MISMATCH
 */
export function prepareTables(
  store: Store,
  tables: readonly TableDefinition[],
  { create }: { create: boolean } = { create: true },
): Promise<Map<string, LiveTable>> {
  return store.transaction(async (tx) => {
    await tx.sql`select pg_advisory_xact_lock(${prepareLock})`
    const before = await readLiveTables(tx, tables)
    const missing = create ? tables.filter(({ name }) => !before.has(name)) : []
    for (const table of missing) await createTable(tx, table)
    const live = missing.length === 0 ? before : await readLiveTables(tx, tables)
    for (const table of tables) fitting(table, live)
    return live
  })
}

/** Looks again whether the tables fit, without changing anything. @throws TABLE_KEYLESS, TABLE_MISMATCH */
export async function checkTables(store: Store, tables: readonly TableDefinition[]): Promise<void> {
  const live = await readLiveTables(store, tables)
  for (const table of tables) fitting(table, live)
}

function fitting(table: TableDefinition, live: ReadonlyMap<string, LiveTable>): LiveTable {
  const found = live.get(table.name)
  if (found !== undefined) {
    checkTable(table, found)
    return found
  }
  throw new PlatformError('TABLE_MISMATCH', `table "${table.name}" was dropped or renamed while it was followed`, {
    hint: `Bring it back; to begin anew, run: ${createTableSql(table)}`,
  })
}

async function createTable(tx: Transaction, table: TableDefinition): Promise<void> {
  const { schema } = tableName(table)
  if (schema !== 'public') await tx.sql.query(`create schema if not exists ${quotePart(schema)}`)
  await tx.sql.query(createTableSql(table))
}

export function createTableSql(table: TableDefinition): string {
  const columns = declaredColumns(table).map(
    ({ name: column, type, nullable, optional }) =>
      `${quotePart(column)} ${type}${nullable || optional ? '' : ' not null'}`,
  )
  const key = table.key.map(quotePart).join(', ')
  return `create table ${quoteTable(table)} (${[...columns, `primary key (${key})`].join(', ')})`
}
