import { isObject, isSchemaValue, keywordsOf, type Schema, type SchemaObject, same } from './json-schema.ts'

export type JsonType = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object'
const types: readonly JsonType[] = ['null', 'boolean', 'number', 'string', 'array', 'object']

/**
 * One of the ways in which a value can be valid: of one type, and valid under all of `parts`, which have no `$ref`, `allOf`,
 * `anyOf` and `oneOf` any more. All values of a schema are found among those of its variants.
 */
export interface Variant {
  readonly type: JsonType
  /** Numbers only: nothing but whole ones. */
  readonly whole: boolean
  readonly parts: readonly SchemaObject[]
  /** All values there are, where they can be counted. */
  readonly values: readonly unknown[] | undefined
}

/** A schema is too entangled to be compared. */
export class TooComplex extends Error {}

const mostVariants = 256
const deepest = 40

/** The variants of a value that is valid under all of `schemas`. @throws TooComplex */
export function variantsOf(schemas: readonly Schema[], root: Schema): Variant[] {
  const lists = schemas.reduce<SchemaObject[][]>((all, schema) => cross(all, expand(schema, root, 0)), [[]])
  return lists.flatMap((parts) => types.flatMap((type) => variantOf(type, parts)))
}

/** Lists of parts: a value is valid if it is valid under all parts of one of the lists. */
function expand(schema: Schema, root: Schema, depth: number): SchemaObject[][] {
  if (typeof schema === 'boolean') return schema ? [[]] : []
  if (depth > deepest) throw new TooComplex('the schema refers to itself in a circle')
  const { $ref, allOf, anyOf, oneOf, ...rest } = schema
  const own = Object.fromEntries(keywordsOf(rest))
  let lists: SchemaObject[][] = Object.keys(own).length === 0 ? [[]] : [[own]]
  if ($ref !== undefined) lists = cross(lists, expand(resolve($ref, root), root, depth + 1))
  for (const each of schemasOf(allOf)) lists = cross(lists, expand(each, root, depth + 1))
  // What is valid under exactly one is valid under at least one: a little more than there is, never less.
  for (const choice of [anyOf, oneOf])
    if (choice !== undefined)
      lists = cross(
        lists,
        schemasOf(choice).flatMap((each) => expand(each, root, depth + 1)),
      )
  return lists
}

function cross(left: SchemaObject[][], right: SchemaObject[][]): SchemaObject[][] {
  if (left.length * right.length > mostVariants) throw new TooComplex('the schema has too many alternatives')
  return left.flatMap((a) => right.map((b) => [...a, ...b]))
}

export function schemasOf(value: unknown): Schema[] {
  return Array.isArray(value) ? value.filter(isSchemaValue) : []
}

/** Only what lies in the schema itself can be followed. @throws TooComplex */
export function resolve(ref: unknown, root: Schema): Schema {
  if (ref === '#') return root
  const path = typeof ref === 'string' && ref.startsWith('#/') ? ref.slice(2).split('/') : undefined
  const found = path?.reduce<unknown>(
    (at, token) =>
      isObject(at) ? at[decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~')] : undefined,
    root,
  )
  if (!isSchemaValue(found)) throw new TooComplex(`the reference ${JSON.stringify(ref)} leads out of the schema`)
  return found
}

function variantOf(type: JsonType, parts: readonly SchemaObject[]): Variant[] {
  const allowed = parts.map(({ type: given }) => given).filter((given) => given !== undefined)
  const named = allowed.map((given) => (Array.isArray(given) ? (given as unknown[]) : [given]))
  const fits = (names: readonly unknown[]): boolean =>
    names.includes(type) || (type === 'number' && names.includes('integer'))
  if (!named.every(fits)) return []
  const whole = type === 'number' && named.some((names) => !names.includes('number'))
  const values = valuesOf(type, whole, parts)
  return values?.length === 0 ? [] : [{ type, whole, parts, values }]
}

function valuesOf(type: JsonType, whole: boolean, parts: readonly SchemaObject[]): unknown[] | undefined {
  const lists = parts.flatMap((part) => [
    ...('const' in part ? [[part['const']]] : []),
    ...(Array.isArray(part['enum']) ? [part['enum'] as unknown[]] : []),
  ])
  if (type === 'null') lists.push([null])
  if (type === 'boolean') lists.push([true, false])
  const [first, ...others] = lists
  return first
    ?.filter((value) => typeOf(value) === type && (!whole || Number.isInteger(value)))
    .filter((value) => others.every((list) => list.some((other) => same(other, value))))
}

export function typeOf(value: unknown): JsonType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value as JsonType
}
