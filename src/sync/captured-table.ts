import type { TableDefinition } from '../events/table.ts'
import type { LiveTable } from './live-table.ts'
import type { Relation } from './pgoutput.ts'
import { compileShape, type RowShape } from './row-shape.ts'
import type { SnapshotFilter } from './snapshot-filter.ts'

/** A table while its changes are followed. */
export interface CapturedTable {
  readonly table: TableDefinition
  readonly live: LiveTable
  /** What the copy of the table saw. */
  readonly filter: SnapshotFilter
}

/** How rows come that the stream describes so; types stand for the types below their domains. */
export function streamShape({ table, live }: CapturedTable, { columns }: Relation): RowShape {
  const incoming = columns.map(({ name, type }) => {
    const known = live.columns.get(name)
    return { name, type: known?.type === type ? known.baseType : type }
  })
  return compileShape(table, incoming)
}

/** Whether the stream describes the table as it was when the session began, as far as it is declared. */
export function isUnaltered(
  { table, live }: CapturedTable,
  { schema, name: relationName, columns }: Relation,
): boolean {
  if (schema !== live.name.schema || relationName !== live.name.name) return false
  return Object.keys(table.fields).every((name) => {
    const column = columns.find((candidate) => candidate.name === name)
    const sameType = column !== undefined && column.type === live.columns.get(name)?.type
    return sameType && (column.key || !table.key.includes(name))
  })
}
