import { IsOptional, type TSchema } from 'typebox'
import type { TableDefinition } from '../events/table.ts'
import { columnType } from '../kernel/schema.ts'

/** A column as a table declares it. */
export interface DeclaredColumn {
  readonly name: string
  readonly schema: TSchema
  /** The Postgres type it gets when Millrace creates the table. */
  readonly type: string
  /** NULL is one of its values. */
  readonly nullable: boolean
  /** NULL reads as absent. */
  readonly optional: boolean
}

export function declaredColumns(table: Pick<TableDefinition, 'fields'>): DeclaredColumn[] {
  return Object.entries(table.fields).map(([name, schema]) => ({
    name,
    schema,
    type: columnType(schema),
    nullable: acceptsNull(schema),
    optional: IsOptional(schema),
  }))
}

function acceptsNull(schema: TSchema): boolean {
  const options: unknown = Reflect.get(schema, 'anyOf')
  if (Array.isArray(options)) return options.some(acceptsNull)
  const kind: unknown = Reflect.get(schema, '~kind')
  return kind === 'Null' || kind === 'Unknown' || kind === 'Any'
}
