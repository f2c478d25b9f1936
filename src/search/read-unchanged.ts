import { quoteColumn, rowReader } from '../events/row-reader.ts'
import type { TableDefinition } from '../events/table.ts'
import { quoteName } from '../store/sql.ts'
import type { Transaction } from '../store/store.ts'
import type { LatestChange } from './latest-change.ts'

/** Rows asked for at once. */
const maxRows = 200

/**
 * Fills in the large columns that changes left out, reading them from the table. Only those: the change knows its own
 * columns better than a snapshot that may be older than it. A value that is younger than the change does no harm, its
 * own change follows. `null` for a row that is gone by now, whose deletion follows too.
 */
export async function readUnchanged(
  tx: Transaction,
  table: TableDefinition<unknown>,
  entries: readonly LatestChange[],
): Promise<(entry: LatestChange) => Record<string, unknown> | null> {
  const incomplete = entries.filter(({ unchanged }) => unchanged.length > 0)
  const found = new Map<string, Record<string, unknown>>()
  for (let i = 0; i < incomplete.length; i += maxRows) {
    for (const row of await readRows(tx, table, incomplete.slice(i, i + maxRows))) found.set(table.keyText(row), row)
  }
  return ({ id, row, unchanged }) => {
    if (row === null || unchanged.length === 0) return row
    const stored = found.get(id)
    if (stored === undefined) return null
    return {
      ...row,
      ...Object.fromEntries(unchanged.flatMap((name) => (name in stored ? [[name, stored[name]]] : []))),
    }
  }
}

async function readRows(
  tx: Transaction,
  { name, key, fields }: TableDefinition<unknown>,
  entries: readonly LatestChange[],
): Promise<Record<string, unknown>[]> {
  const columns = new Set([...key, ...entries.flatMap(({ unchanged }) => unchanged)])
  const reader = rowReader(fields, [...columns], 'r')
  const values: unknown[] = []
  // One parameter for each value, without a cast: Postgres then takes the types of the columns, whatever they are.
  const keys = entries.map(({ row }) => `(${key.map((column) => `$${values.push(row?.[column])}`).join(', ')})`)
  const names = key.map((column) => `r.${quoteColumn(column)}`).join(', ')
  const rows = await tx.sql.query(
    `select ${reader.select} from ${quoteName(name)} r where (${names}) in (${keys.join(', ')})`,
    values,
  )
  return rows.map((row) => reader.read(row))
}
