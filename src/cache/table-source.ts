import { IsOptional, type TSchema } from 'typebox'
import type { TableDefinition } from '../events/table.ts'
import { columnType, type Fields } from '../kernel/schema.ts'
import { quoteName, type Statement } from '../store/sql.ts'
import { type Store, sqlState } from '../store/store.ts'
import { freeze } from './freeze.ts'
import type { KeyValues } from './key.ts'
import { parseSnapshot } from './snapshot.ts'
import type { CacheSource } from './source.ts'

const maxKeys = 500
/** Further misses wait and share the next statement: more at once would only crowd the connection pool. */
const concurrency = 4

const snapshotStatement: Statement = {
  name: 'millrace-cache-snapshot',
  text: 'select pg_current_snapshot()::text as snapshot',
}

/** Rows of a table by key, many keys in one statement. */
export function tableSource<R, K extends string>({
  name,
  store,
  table,
}: TableSourceOptions<R, K>): CacheSource<R, KeyValues> {
  const columns = Object.keys(table.fields)
  const statement = { name: `millrace-cache-${name}`, text: selectByKeys(table, columns) }
  const readRow = rowReader(table.fields)
  return {
    maxKeys,
    concurrency,
    async load(wanted) {
      const arrays = table.key.map((_, i) => wanted.map(({ id }) => id[i]))
      const found = await store.run<SourceRow>(statement, arrays)
      const values = new Map<string, R>()
      for (const cells of found) {
        if (!cells.found) continue // the lone row that carries the snapshot when no key was found
        const row = readRow(cells)
        values.set(table.keyText(row), freeze(row) as R)
      }
      return { values, snapshot: parseSnapshot(found[0]?.snapshot ?? '') }
    },
    async snapshot() {
      const [row] = await store.run<{ snapshot: string }>(snapshotStatement)
      return parseSnapshot(row?.snapshot ?? '')
    },
    // Class 22, data exception: a number out of range, a text that Postgres cannot hold.
    blamesKey: (error) => sqlState(error)?.startsWith('22') === true,
  }
}

export interface TableSourceOptions<R, K extends string> {
  name: string
  store: Pick<Store, 'run'>
  table: TableDefinition<R, K>
}

type SourceRow = { snapshot: string; found: boolean } & Record<`c${number}`, unknown>

/**
 * One row for every key that exists, and one in any case: the snapshot comes in the same statement as the rows, so it
 * says exactly what they saw.
 */
function selectByKeys(
  { name, key, fields }: Pick<TableDefinition, 'name' | 'key' | 'fields'>,
  columns: readonly string[],
): string {
  const cells = columns.map((column, i) => `${readAs(`r.${quoteName(column)}`, fields[column])} as c${i}`)
  const found = `r.${quoteName(key[0] ?? '')} is not null as found`
  return `
    select pg_current_snapshot()::text as snapshot, ${[found, ...cells].join(', ')}
      from (select) one left join ${rowsByKeys(quoteName(name), key, fields)}`
}

function rowsByKeys(table: string, key: readonly string[], fields: Fields): string {
  const names = key.map(quoteName)
  if (key.length === 1) return `${table} r on r.${names[0]} = any($1)`
  const lists = key.map((column, i) => `$${i + 1}::${wideType(fields[column])}[]`)
  return `(select t.* from unnest(${lists.join(', ')}) k (${names.join(', ')}) join ${table} t using (${names.join(', ')})) r on true`
}

/** A declared integer may be a bigint in Postgres; comparing with the wider type uses the same index. */
function wideType(field: TSchema | undefined): string {
  const type = field === undefined ? 'text' : columnType(field)
  return type === 'integer' ? 'bigint' : type
}

/** These kinds are text in JSON, whatever the column's own type would read as. */
const textual = new Set(['bigint', 'numeric', 'uuid', 'date'])

function readAs(column: string, field: TSchema | undefined): string {
  return field !== undefined && textual.has(columnType(field)) ? `${column}::text` : column
}

function rowReader(fields: Fields): (cells: SourceRow) => Record<string, unknown> {
  const columns = Object.entries(fields).map(([name, field], i) => {
    return { name, cell: `c${i}` as const, read: columnReader(field), optional: IsOptional(field) }
  })
  return (cells) => {
    const row: Record<string, unknown> = {}
    for (const { name, cell, read, optional } of columns) {
      const value = read(cells[cell])
      // NULL in an optional column reads as absent.
      if (value !== null || !optional) row[name] = value
    }
    return row
  }
}

/** Makes the values of one column what the changes of the table carry. */
function columnReader(field: TSchema): (value: unknown) => unknown {
  const type = columnType(field)
  if (type !== 'integer' && type !== 'double precision') return (value) => value
  return (value) => (typeof value === 'string' ? numberOf(value) : value)
}

/** The number of a bigint or numeric that is declared as one, unless digits would be lost. */
function numberOf(text: string): number | string {
  const value = Number(text)
  const exact = Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value) || /[.e]/.test(text))
  return exact ? value : text
}
