import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'

/** A JSON Schema (2020-12, and 2019-09 and 07 where they do not differ), taken for what it is: unknown. */
export type Schema = boolean | SchemaObject
export type SchemaObject = Readonly<Record<string, unknown>>

/** Keywords whose value is a schema, a list of schemas, or schemas by name. */
const one = [
  'additionalItems',
  'additionalProperties',
  'contains',
  'contentSchema',
  'else',
  'if',
  'items',
  'not',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
]
const lists = ['allOf', 'anyOf', 'items', 'oneOf', 'prefixItems']
const named = ['$defs', 'definitions', 'dependentSchemas', 'patternProperties', 'properties']
/** Says nothing about which values are valid. */
const notes = [
  '$comment',
  '$id',
  '$schema',
  'default',
  'deprecated',
  'description',
  'examples',
  'readOnly',
  'title',
  'writeOnly',
  'x-postgres',
]

export const isObject = (value: unknown): value is SchemaObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
export const isSchemaValue = (value: unknown): value is Schema => typeof value === 'boolean' || isObject(value)

/** The keywords of a schema that decide which values are valid. */
export function keywordsOf(schema: SchemaObject): [string, unknown][] {
  return Object.entries(schema).filter(([name]) => !notes.includes(name) && name !== '$defs' && name !== 'definitions')
}

/** A schema without notes and with its keywords in order: what means the same reads the same. */
export function canonical(schema: Schema): Schema {
  if (typeof schema === 'boolean') return schema
  const kept = Object.entries(schema)
    .filter(([name]) => !notes.includes(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(kept.map(([name, value]) => [name, canonicalValue(name, value)]))
}

function canonicalValue(keyword: string, value: unknown): unknown {
  if (lists.includes(keyword) && Array.isArray(value)) return value.map((each: Schema) => canonical(each))
  if (one.includes(keyword) && isSchemaValue(value)) return canonical(value)
  if (keyword === 'required' && Array.isArray(value)) return [...(value as string[])].sort()
  if (!named.includes(keyword) || !isObject(value)) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([name, each]) => [name, isSchemaValue(each) ? canonical(each) : each]))
}

/** The same for schemas that mean the same, as far as `canonical` sees it. */
export function checksumOf(schema: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(isSchemaValue(schema) ? canonical(schema) : schema) ?? 'none')
    .digest('hex')
}

export const same = (a: unknown, b: unknown): boolean => isDeepStrictEqual(a, b)
