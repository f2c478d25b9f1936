import type { TSchema } from 'typebox'
import { columnType } from '../kernel/schema.ts'
import { parseColumnText } from '../store/column-text.ts'

/** Writes the text of a column as JSON text. */
export type ColumnJson = (text: string) => string

/**
 * How a column declared as `schema` stands in a change: what a query through the store returns for it, except where the
 * declaration asks for more, such as a bigint as text or a numeric as a number.
 */
export function columnJson(schema: TSchema, typeOid: number): ColumnJson {
  const parse = parseColumnText(typeOid)
  const asQueried: ColumnJson = (text) => JSON.stringify(parse(text))
  switch (columnType(schema)) {
    case 'integer':
    case 'double precision':
      return smallNumbers.has(typeOid) ? verbatim : numberJson
    case 'boolean':
      return typeOid === 16 ? booleanJson : asQueried
    case 'bigint':
    case 'numeric':
    case 'uuid':
    case 'date':
      return JSON.stringify
    case 'jsonb':
      return jsonTypes.has(typeOid) ? verbatim : asQueried
    default:
      return textTypes.has(typeOid) ? JSON.stringify : asQueried
  }
}

const smallNumbers = new Set([21, 23, 26])
const jsonTypes = new Set([114, 3802])
const textTypes = new Set([18, 19, 25, 1042, 1043])

/** The text Postgres writes is JSON already. */
const verbatim: ColumnJson = (text) => text
const booleanJson: ColumnJson = (text) => (text === 't' ? 'true' : 'false')
/** JSON has no NaN and no Infinity, and readers lose digits beyond 2^53: those stay text. */
const numberJson: ColumnJson = (text) => {
  const value = Number(text)
  const exact = Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value) || /[.e]/.test(text))
  return exact ? String(value) : JSON.stringify(text)
}
