import type { AdminParts } from './sources.ts'

/** JSON Schema of the data of a type where the app declares one: of an event, or of the rows of a table. */
export function schemaOf({ events, tables }: AdminParts, type: string): object | undefined {
  return (
    events.find(({ name }) => name === type)?.schema.jsonSchema ??
    tables.find(({ changeType }) => changeType === type)?.schema.jsonSchema
  )
}
