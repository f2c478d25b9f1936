import type { TableDefinition } from '../events/table.ts'
import { type ColumnJson, columnJson } from './column-json.ts'
import { declaredColumns } from './declared-column.ts'
import type { Tuple } from './pgoutput.ts'

/** How rows of a table come in (columns by place and type) and how its changes are written. Compiled once per shape. */
export interface RowShape {
  readonly table: TableDefinition
  /** The declared columns that come in. */
  readonly columns: readonly ShapeColumn[]
  /** The key columns, in the order of the key. */
  readonly key: readonly ShapeColumn[]
  /** Declared columns that do not come in: the shape is older than the declaration, or a column was dropped. */
  readonly missing: readonly string[]
  /** `"table":"…"` */
  readonly tableJson: string
}

export interface ShapeColumn {
  readonly name: string
  /** Place in the tuple. */
  readonly index: number
  /** `"name":` */
  readonly prefix: string
  readonly json: ColumnJson
  /** NULL reads as absent. */
  readonly omitNull: boolean
}

/** @param incoming the columns of a tuple in order; undeclared ones are left out of changes */
export function compileShape(table: TableDefinition, incoming: readonly { name: string; type: number }[]): RowShape {
  const columns: ShapeColumn[] = []
  const missing: string[] = []
  for (const { name, schema, nullable, optional } of declaredColumns(table)) {
    const index = incoming.findIndex((column) => column.name === name)
    const type = incoming[index]?.type
    if (type === undefined) missing.push(name)
    else
      columns.push({
        name,
        index,
        prefix: `${JSON.stringify(name)}:`,
        json: columnJson(schema, type),
        omitNull: optional && !nullable,
      })
  }
  const key = table.key.flatMap((name) => columns.find((column) => column.name === name) ?? [])
  return { table, columns, key, missing, tableJson: `"table":${JSON.stringify(table.name)}` }
}

/** The row as a JSON object. Values that the tuple does not carry are left out. */
export function rowJson(columns: readonly ShapeColumn[], row: Tuple): string {
  let json = ''
  for (const column of columns) {
    const text = row[column.index]
    if (text === undefined || (text === null && column.omitNull)) continue
    json += `${json === '' ? '' : ','}${column.prefix}${text === null ? 'null' : column.json(text)}`
  }
  return `{${json}}`
}

export function keyText({ table, key }: RowShape, row: Tuple): string {
  const values: Record<string, unknown> = {}
  for (const column of key) values[column.name] = JSON.parse(column.json(row[column.index] ?? 'null'))
  return table.keyText(values)
}
