import type { TableDefinition } from '../events/table.ts'

/** Schema and name of a table in Postgres. */
export interface TableName {
  readonly schema: string
  readonly name: string
}

export function tableName(table: Pick<TableDefinition, 'name'>): TableName {
  const dot = table.name.indexOf('.')
  if (dot < 0) return { schema: 'public', name: table.name }
  return { schema: table.name.slice(0, dot), name: table.name.slice(dot + 1) }
}

/** The table in SQL text, whatever the search path. */
export function quoteTable(table: Pick<TableDefinition, 'name'>): string {
  const { schema, name } = tableName(table)
  return `${quotePart(schema)}.${quotePart(name)}`
}

/** One name in SQL text, dots and all. */
export function quotePart(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
