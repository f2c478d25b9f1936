import { type Compare, type Gap, hasReference } from './gap.ts'
import { isObject, isSchemaValue, type Schema, type SchemaObject, same } from './json-schema.ts'
import { atLeast, atMost, largest, smallest } from './scalar-gaps.ts'
import { TooComplex, type Variant } from './variants.ts'

/** Gaps of one keyword about objects; `undefined` for other keywords. */
export function objectGaps(
  comparison: Compare,
  { type, parts }: Variant,
  to: SchemaObject,
  { keyword, value, path }: { keyword: string; value: unknown; path: string },
): Gap[] | undefined {
  switch (keyword) {
    case 'required':
      return type === 'object' ? requiredGaps(parts, value, path) : []
    case 'minProperties':
      return type === 'object'
        ? atLeast(keyword, Math.max(largest(parts, keyword), requiredOf(parts).size), value, path)
        : []
    case 'maxProperties':
      return type === 'object'
        ? atMost(keyword, Math.min(smallest(parts, keyword), mostFields(parts)), value, path)
        : []
    case 'properties':
    case 'additionalProperties':
    case 'patternProperties':
      // All three say one thing, which is looked at once.
      return type === 'object' && keyword === firstOf(to) ? fieldGaps(comparison, parts, to, path) : []
    default:
      return undefined
  }
}

const firstOf = (schema: SchemaObject): string | undefined =>
  Object.keys(schema).find((name) => ['properties', 'additionalProperties', 'patternProperties'].includes(name))

function requiredOf(parts: readonly SchemaObject[]): Set<unknown> {
  return new Set(parts.flatMap(({ required }) => (Array.isArray(required) ? (required as unknown[]) : [])))
}

function requiredGaps(parts: readonly SchemaObject[], value: unknown, path: string): Gap[] {
  const known = requiredOf(parts)
  return (Array.isArray(value) ? (value as unknown[]) : [])
    .filter((name) => !known.has(name))
    .map((name) => ({
      path: `${path}/${token(String(name))}`,
      from: 'optional',
      to: 'required',
      why: 'objects without it were allowed',
    }))
}

function fieldGaps(comparison: Compare, parts: readonly SchemaObject[], to: SchemaObject, path: string): Gap[] {
  const names = new Set([...parts, to].flatMap((part) => Object.keys(schemasByName(part['properties']))))
  const ofNames = [...names].flatMap((name) => {
    const allowed = fieldOf(to, name)
    const at = `${path}/${token(name)}`
    const gaps = comparison.gaps(
      parts.flatMap((part) => fieldOf(part, name)),
      allowed,
      at,
    )
    if (gaps.length === 0 || !allowed.includes(false)) return gaps
    return [{ path: at, from: 'a known field', to: 'no field', why: 'objects that have it are refused now' }]
  })
  return [...ofNames, ...otherGaps(comparison, parts, to, path)]
}

/** Fields that neither side names: each kind of them on the one side, under each kind on the other. */
function otherGaps(comparison: Compare, parts: readonly SchemaObject[], to: SchemaObject, path: string): Gap[] {
  const at = `${path}/*`
  const rests = parts.map(restOf)
  const patterns = patternsOf(to)
  const isSame =
    !hasReference(to['patternProperties']) &&
    parts.some((part) => same(part['patternProperties'], to['patternProperties']))
  const alone = parts.every(
    (part) => patternsOf(part).length === 0 || same(part['patternProperties'], to['patternProperties']),
  )
  if (patterns.length > 0 && isSame && alone) {
    // The same names fall under the same patterns on both sides.
    return comparison.gaps(rests, [restOf(to)], at)
  }
  const kinds = [rests, ...parts.flatMap(patternsOf).map(([, schema]) => [schema])]
  const wanted = [restOf(to), ...patterns.map(([, schema]) => schema)]
  return kinds.flatMap((kind) => {
    const gaps = comparison.gaps(kind, wanted, at)
    if (gaps.length === 0 || !wanted.includes(false)) return gaps
    return [
      {
        path: at,
        from: 'other fields allowed',
        to: 'no other fields',
        why: 'objects with fields of other names were allowed',
      },
    ]
  })
}

/** What a field must be valid under. */
function fieldOf(part: SchemaObject, name: string): Schema[] {
  const properties = schemasByName(part['properties'])
  const found = [
    ...(Object.hasOwn(properties, name) ? [properties[name] as Schema] : []),
    ...patternsOf(part)
      .filter(([pattern]) => matches(pattern, name))
      .map(([, schema]) => schema),
  ]
  return found.length > 0 ? found : [restOf(part)]
}

function matches(pattern: string, name: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(name)
  } catch {
    throw new TooComplex(`the pattern ${pattern} is no regular expression`)
  }
}

const restOf = ({ additionalProperties }: SchemaObject): Schema =>
  isSchemaValue(additionalProperties) ? additionalProperties : true
const patternsOf = ({ patternProperties }: SchemaObject): [string, Schema][] =>
  Object.entries(schemasByName(patternProperties))

function schemasByName(value: unknown): Readonly<Record<string, Schema>> {
  return isObject(value) ? (value as Record<string, Schema>) : {}
}

/** How many fields an object can have at most: a closed one ends itself. */
function mostFields(parts: readonly SchemaObject[]): number {
  const closed = parts.filter((part) => restOf(part) === false && patternsOf(part).length === 0)
  return Math.min(
    ...closed.map(({ properties }) => Object.keys(schemasByName(properties)).length),
    Number.POSITIVE_INFINITY,
  )
}

/** Escapes one JSON Pointer token (RFC 6901, 3). */
function token(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
