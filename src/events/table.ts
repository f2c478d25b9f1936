import { PlatformError } from '../kernel/errors.ts'
import { checkName } from '../kernel/names.ts'
import { compileSchema, type Fields, type Infer, type Schema } from '../kernel/schema.ts'

export interface TableOptions<F extends Fields, K extends keyof F & string = keyof F & string> {
  /** The primary key: one column or several, in order. */
  key: K | readonly K[]
  /**
   * Keep the whole row before each change (REPLICA IDENTITY FULL), so that changes carry `before` and `changed(column)`
   * can compare. Costs write-ahead log. @default false
   */
  before?: boolean
}

/** Changes of a table, perhaps only those that touch some columns. What `on`, `cache` and `index` follow. */
export interface ChangeSource<R> {
  readonly kind: 'changes'
  readonly table: TableDefinition<R>
  /** Only updates that change one of these columns; all changes when empty. */
  readonly columns: readonly string[]
}

/**
 * A Postgres table whose changes are captured. Its rows are read as JSON values, see store/column-text.ts. `K` names the
 * key columns, so that what looks rows up by key can ask for the right one.
 */
export interface TableDefinition<R = Record<string, unknown>, K extends string = string> {
  readonly kind: 'table'
  /** Name in Postgres, with its schema where that is not `public`. */
  readonly name: string
  readonly fields: Fields
  readonly key: readonly K[]
  readonly before: boolean
  readonly schema: Schema<R>
  /** The type its changes have in the log. */
  readonly changeType: string
  /** The key of a row as text: the ordering key of its changes, and its key in caches and indexes. */
  keyText(row: Readonly<Record<string, unknown>>): string
  /** Changes of the table; with columns, only updates that change one of them (needs `before: true`). */
  changed(...columns: (keyof R & string)[]): ChangeSource<R>
}

/**
 * Declares a table to follow. A table that does not exist is created from the declaration when the app starts; one that
 * differs stops the start with TABLE_MISMATCH, naming each difference.
 */
export function table<const F extends Fields, const K extends keyof F & string>(
  name: string,
  fields: F,
  options: TableOptions<F, K>,
): TableDefinition<Infer<F>, K> {
  checkName('table', name)
  const key: readonly K[] = Object.freeze(typeof options.key === 'string' ? [options.key] : [...options.key])
  const unknown = key.filter((column) => !(column in fields))
  if (key.length === 0 || unknown.length > 0) {
    throw new PlatformError(
      'TABLE_KEYLESS',
      `table "${name}": ${key.length === 0 ? 'no key is named' : `key column ${unknown.join(', ')} is not declared`}`,
    )
  }
  const definition: TableDefinition<Infer<F>, K> = {
    kind: 'table',
    name,
    fields,
    key,
    before: options.before ?? false,
    schema: compileSchema(fields) as Schema<Infer<F>>,
    changeType: changeType(name),
    keyText: (row) => keyText(key, row),
    changed: (...columns) => {
      if (columns.length > 0 && options.before !== true) {
        throw new PlatformError(
          'OPTION_INVALID',
          `table "${name}": changed(${columns.join(', ')}) needs the row before the change`,
          { hint: 'Declare the table with { before: true }.' },
        )
      }
      return { kind: 'changes', table: definition, columns }
    },
  }
  return definition
}

/** Changes live in the log beside events; the colon keeps their types apart from every event name. */
export function changeType(table: string): string {
  return `change:${table}`
}

/** One column as it is; several as a JSON array, so that no two keys read the same. */
export function keyText(key: readonly string[], row: Readonly<Record<string, unknown>>): string {
  const [only] = key
  return key.length === 1 && only !== undefined ? String(row[only]) : JSON.stringify(key.map((column) => row[column]))
}
