import type { TableDefinition } from '../events/table.ts'
import { columnType, compileSchema, type Fields, t } from '../kernel/schema.ts'

/** The values of a row's key columns, in the order of the key. */
export type KeyValues = readonly unknown[]

type IsUnion<T, U = T> = T extends unknown ? ([U] extends [T] ? false : true) : never

/**
 * What names one row: the value of its key column, which may also come as text (from a path, say), or with several key
 * columns an object of them.
 */
export type RowId<R, K extends string> = [K] extends [keyof R]
  ? IsUnion<K> extends true
    ? Readonly<Pick<R, K>>
    : R[K] | string
  : string | number | Readonly<Record<string, unknown>>

/** How a cache turns what callers give into its keys. */
export interface CacheKeys<Id, Parsed> {
  /** Cheap; the key of every well-formed id. */
  textOf(id: Id): string
  /** Checks an id that was not found by its text, and gives the one spelling of its key. */
  parse(id: Id): { key: string; id: Parsed }
}

/** Ids of rows. A wrong one throws INPUT_INVALID: it must not reach a statement that loads others beside it. */
export function rowKeys<R, K extends string>(
  name: string,
  table: TableDefinition<R, K>,
): CacheKeys<RowId<R, K>, KeyValues> {
  const fields: Fields = Object.fromEntries(table.key.map((column) => [column, table.fields[column] ?? t.string()]))
  const schema = compileSchema(t.object(fields))
  const [only = ''] = table.key
  const single = table.key.length === 1
  const asRow = (id: unknown): Record<string, unknown> => {
    if (single && (typeof id !== 'object' || id === null)) return { [only]: id }
    const given = Object(id) as Record<string, unknown>
    return Object.fromEntries(table.key.map((column) => [column, given[column]]))
  }
  return {
    textOf: single ? String : (id) => table.keyText(asRow(id)),
    parse(id) {
      const row = schema.parseText(asRow(id), `the key of cache "${name}"`) as Record<string, unknown>
      for (const [column, field] of Object.entries(fields)) {
        // Postgres reads a uuid in any case and writes it in lower case.
        if (columnType(field) === 'uuid') row[column] = String(row[column]).toLowerCase()
      }
      return { key: table.keyText(row), id: table.key.map((column) => row[column]) }
    },
  }
}

/** Ids of outside values: text or numbers, given on as they are. */
export function plainKeys<Id extends string | number>(): CacheKeys<Id, Id> {
  return { textOf: String, parse: (id) => ({ key: String(id), id }) }
}
