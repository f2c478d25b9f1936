import { IsOptional, type TSchema } from 'typebox'
import { columnType, type Fields } from '../kernel/schema.ts'

/** Reads columns of a declared table so that they come out as the table's changes carry them. */
export interface RowReader {
  /** The columns for a select list, in the order of `columns`, each under its own name. */
  readonly select: string
  /** Makes a row of what the statement brought back. */
  read(cells: Readonly<Record<string, unknown>>): Record<string, unknown>
}

/** These kinds are text in JSON, whatever the column's own type would read as. */
const textual = new Set(['bigint', 'numeric', 'uuid', 'date'])
const numeric = new Set(['integer', 'double precision'])

/** @param alias of the table in the statement */
export function rowReader(fields: Fields, columns: readonly string[], alias: string): RowReader {
  const declared = columns.flatMap((name) => {
    const field = fields[name]
    return field === undefined ? [] : [{ name, ...howToRead(field) }]
  })
  return {
    select: declared
      .map(({ name, asText }) => `${alias}.${quoteColumn(name)}${asText ? '::text' : ''} as ${quoteColumn(name)}`)
      .join(', '),
    read(cells) {
      const row: Record<string, unknown> = {}
      for (const { name, asNumber, optional } of declared) {
        const value = asNumber ? numberOf(cells[name]) : cells[name]
        // NULL in an optional column reads as absent.
        if (value !== null || !optional) row[name] = value
      }
      return row
    },
  }
}

/** A column's name in SQL; unlike a table's it has no schema before a dot. */
export function quoteColumn(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function howToRead(field: TSchema): { asText: boolean; asNumber: boolean; optional: boolean } {
  const type = columnType(field)
  return { asText: textual.has(type), asNumber: numeric.has(type), optional: IsOptional(field) }
}

/** The number of a bigint or numeric that is declared as one, unless digits would be lost. */
function numberOf(value: unknown): unknown {
  if (typeof value !== 'string') return value
  const number = Number(value)
  const exact =
    Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number) || /[.e]/.test(value))
  return exact ? number : value
}
