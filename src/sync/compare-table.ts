import type { TableDefinition } from '../events/table.ts'
import { PlatformError } from '../kernel/errors.ts'
import { type DeclaredColumn, declaredColumns } from './declared-column.ts'
import type { LiveColumn, LiveTable } from './live-table.ts'
import { quotePart, quoteTable } from './table-name.ts'

/**
 * Refuses a table that cannot be followed as declared, naming every difference and the SQL that mends it. Columns that
 * are not declared are nobody's business.
 * @throws TABLE_KEYLESS, TABLE_MISMATCH
 */
export function checkTable(table: TableDefinition, live: LiveTable): void {
  const name = quoteTable(table)
  if (!live.logged) {
    const hint = live.kind === 'unlogged table' ? `Run: alter table ${name} set logged` : 'Follow an ordinary table.'
    throw mismatch(table, [`is ${article(live.kind)}, whose changes Postgres does not log`], hint)
  }
  if (live.primaryKey.length === 0) {
    throw new PlatformError('TABLE_KEYLESS', `table "${table.name}" has no primary key in Postgres`, {
      hint: `Run: alter table ${name} add primary key (${keyList(table.key)})`,
    })
  }
  const found = differences(table, live)
  if (found.length === 0) return
  const mends = found.flatMap(({ mend }) => mend ?? [])
  const hint = mends.length === 0 ? 'Correct the declaration.' : `Correct the declaration, or run: ${mends.join('; ')}`
  throw mismatch(
    table,
    found.map(({ text }) => text),
    hint,
  )
}

interface Difference {
  text: string
  /** SQL. */
  mend?: string
}

function differences(table: TableDefinition, live: LiveTable): Difference[] {
  const found = declaredColumns(table).flatMap((column) => {
    const actual = live.columns.get(column.name)
    return actual === undefined ? [missing(table, column)] : columnDifferences(table, column, actual)
  })
  if (live.primaryKey.join() !== table.key.join()) {
    found.push({ text: `its primary key is (${live.primaryKey.join(', ')}), declared is (${table.key.join(', ')})` })
  }
  return found
}

function missing(table: TableDefinition, column: DeclaredColumn): Difference {
  return {
    text: `column "${column.name}" is missing`,
    // A table with rows takes no new column without values: the first step is always possible.
    mend: `alter table ${quoteTable(table)} add column ${quotePart(column.name)} ${column.type}`,
  }
}

function columnDifferences(table: TableDefinition, column: DeclaredColumn, live: LiveColumn): Difference[] {
  const found: Difference[] = []
  const alter = `alter table ${quoteTable(table)} alter column ${quotePart(column.name)}`
  if (!holds(column, live)) {
    found.push({ text: `column "${column.name}" is ${live.typeName}, which cannot hold the declared ${column.type}` })
  }
  if (live.nullable && !column.nullable && !column.optional) {
    found.push({ text: `column "${column.name}" may be null, declared is not`, mend: `${alter} set not null` })
  }
  if (live.generated) {
    found.push({ text: `column "${column.name}" is generated, and generated values are not in the log of Postgres` })
  }
  return found
}

const numbers = [20, 21, 23, 26, 700, 701, 1700]
const wholeNumbers = [20, 21, 23, 26, 1700]
const texts = [18, 19, 25, 1042, 1043]
/** Types whose values are numbers, truth values or structures in JSON; those of all others are text. */
const notText = [16, 20, 21, 23, 26, 114, 700, 701, 3802]

/** Object ids below are those of Postgres itself (FirstNormalObjectId). */
const firstUserType = 16_384

/** Whether all values of the column fit what is declared. `baseType` is an object id of pg_type. */
function holds({ type, schema }: DeclaredColumn, { baseType, typeName }: LiveColumn): boolean {
  // Arrays of types that people made come as text.
  const array = typeName.endsWith('[]')
  const knownArray = array && baseType < firstUserType
  switch (type) {
    case 'integer':
    case 'bigint':
      return wholeNumbers.includes(baseType)
    case 'double precision':
      return numbers.includes(baseType)
    case 'numeric':
      return wholeNumbers.includes(baseType)
    case 'boolean':
      return baseType === 16
    case 'uuid':
      return baseType === 2950 || texts.includes(baseType)
    case 'date':
      return baseType === 1082
    case 'timestamptz':
      return baseType === 1184
    case 'jsonb':
      return baseType === 114 || baseType === 3802 || takesAnything(schema) || (knownArray && takesArrays(schema))
    default:
      return isConstant(schema) || (!notText.includes(baseType) && !array)
  }
}

const takesAnything = (schema: object): boolean => kinds(schema).includes('Unknown')
const takesArrays = (schema: object): boolean => kinds(schema).includes('Array')
const isConstant = (schema: object): boolean => kinds(schema).includes('Literal')

/** The kinds of a schema, through unions. */
function kinds(schema: object): unknown[] {
  const options: unknown = Reflect.get(schema, 'anyOf')
  return Array.isArray(options) ? options.flatMap(kinds) : [Reflect.get(schema, '~kind')]
}

function mismatch(table: TableDefinition, differences: readonly string[], hint: string): PlatformError {
  const message = `table "${table.name}" differs from its declaration: ${differences.join('; ')}`
  return new PlatformError('TABLE_MISMATCH', message, { hint })
}

function keyList(key: readonly string[]): string {
  return key.map(quotePart).join(', ')
}

function article(kind: string): string {
  return /^[aeiou]/.test(kind) ? `an ${kind}` : `a ${kind}`
}
