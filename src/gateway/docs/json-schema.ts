import { postgresType } from '../../kernel/schema.ts'

/** A JSON Schema (2020-12), as far as the documentation reads it. */
export interface JsonSchema {
  $ref?: string
  type?: string
  format?: string
  description?: string
  pattern?: string
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  required?: readonly string[]
  properties?: Readonly<Record<string, JsonSchema>>
  items?: JsonSchema
  anyOf?: readonly JsonSchema[]
  enum?: readonly unknown[]
  const?: unknown
  default?: unknown
  examples?: readonly unknown[]
}

export interface Field {
  name: string
  required: boolean
  schema: JsonSchema
}

/** The fields of an object's schema; none when it is not an object's or unknown. */
export function fieldsOf(schema: object | undefined): Field[] {
  if (schema === undefined) return []
  const { properties = {}, required = [] } = cleanSchema(schema)
  return Object.entries(properties).map(([name, field]) => ({
    name,
    required: required.includes(name),
    schema: field,
  }))
}

/** A schema without what only we read. */
export function cleanSchema(schema: object): JsonSchema {
  return JSON.parse(
    JSON.stringify(schema, (key, value: unknown) =>
      key === postgresType && typeof value === 'string' ? undefined : value,
    ),
  ) as JsonSchema
}

/** A type in words: `integer`, `text (uuid)`, `list of integer`, `one of "a", "b"`. */
export function typeText(schema: JsonSchema): string {
  if (schema.$ref !== undefined) return schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return `one of ${schema.enum.map((value) => JSON.stringify(value)).join(', ')}`
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeText).join(' or ')
  if (schema.type === 'array') return `list of ${typeText(schema.items ?? {})}`
  if (schema.type === 'string') return schema.format === undefined ? 'text' : `text (${schema.format})`
  return schema.type ?? 'any'
}

/** What a value must keep to besides its type: `≥ 1, ≤ 100`. */
export function boundsText(schema: JsonSchema): string {
  const bounds = [
    schema.minimum === undefined ? '' : `≥ ${schema.minimum}`,
    schema.maximum === undefined ? '' : `≤ ${schema.maximum}`,
    schema.minLength === undefined ? '' : `at least ${schema.minLength} characters`,
    schema.maxLength === undefined ? '' : `at most ${schema.maxLength} characters`,
    schema.pattern === undefined ? '' : `matches ${schema.pattern}`,
    schema.description ?? '',
  ]
  return bounds.filter((bound) => bound !== '').join(', ')
}

const formatSamples: Partial<Record<string, string>> = {
  uuid: '018f2c1e-7b3a-7cc0-9a57-3f6d2b8e4c11',
  date: '2026-01-31',
  'date-time': '2026-01-31T12:00:00Z',
  email: 'ada@example.com',
  uri: 'https://example.com',
}

/** A value that fits a schema, to show. */
export function sampleOf(schema: JsonSchema): unknown {
  if (schema.examples !== undefined) return schema.examples[0]
  if (schema.const !== undefined) return schema.const
  if (schema.enum !== undefined) return schema.enum[0]
  const [first] = schema.anyOf ?? []
  if (first !== undefined) return sampleOf(first)
  if (schema.type === 'array') return [sampleOf(schema.items ?? {})]
  if (schema.type === 'object') {
    const fields = fieldsOf(schema)
    return Object.fromEntries(fields.map((field) => [field.name, sampleOf(field.schema)]))
  }
  if (schema.type === 'integer' || schema.type === 'number') return schema.minimum ?? Math.min(1, schema.maximum ?? 1)
  if (schema.type === 'boolean') return true
  if (schema.type === 'null') return null
  return sampleText(schema)
}

function sampleText(schema: JsonSchema): string {
  const sample = formatSamples[schema.format ?? ''] ?? (schema.pattern === undefined ? 'text' : '1')
  return sample.padEnd(schema.minLength ?? 0, 't').slice(0, schema.maxLength ?? sample.length + 1000)
}
