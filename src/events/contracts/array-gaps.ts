import type { Compare, Gap } from './gap.ts'
import { isSchemaValue, type Schema, type SchemaObject } from './json-schema.ts'
import { atLeast, atMost, largest, smallest } from './scalar-gaps.ts'
import { schemasOf, type Variant } from './variants.ts'

/** Gaps of one keyword about arrays; `undefined` for other keywords. */
export function arrayGaps(
  comparison: Compare,
  { type, parts }: Variant,
  to: SchemaObject,
  { keyword, value, path }: { keyword: string; value: unknown; path: string },
): Gap[] | undefined {
  switch (keyword) {
    case 'minItems':
      return type === 'array' ? atLeast(keyword, largest(parts, keyword), value, path) : []
    case 'maxItems':
      return type === 'array' ? atMost(keyword, mostItems(parts), value, path) : []
    case 'uniqueItems':
      if (type !== 'array' || value !== true || parts.some((part) => part['uniqueItems'] === true)) return []
      return [{ path, from: 'repeated items allowed', to: 'uniqueItems', why: 'arrays with equal items were allowed' }]
    case 'items':
    case 'prefixItems':
    case 'additionalItems':
      // All three say one thing, which is looked at once.
      return type === 'array' && keyword === firstOf(to) ? itemGaps(comparison, parts, to, path) : []
    default:
      return undefined
  }
}

const firstOf = (schema: SchemaObject): string | undefined =>
  Object.keys(schema).find((name) => ['items', 'prefixItems', 'additionalItems'].includes(name))

function itemGaps(comparison: Compare, parts: readonly SchemaObject[], to: SchemaObject, path: string): Gap[] {
  const named = Math.max(...[...parts, to].map((part) => tupleOf(part).length))
  const most = mostItems(parts)
  const places = Array.from({ length: Math.min(named, most) }, (_, i) => i)
  const gapsAt = (i: number, name: string): Gap[] =>
    comparison.gaps(
      parts.map((part) => itemAt(part, i)),
      [itemAt(to, i)],
      `${path}/${name}`,
    )
  return [...places.flatMap((i) => gapsAt(i, String(i))), ...(most > named ? gapsAt(named, '*') : [])]
}

/** The schemas of the first items: `prefixItems`, or `items` as a list before 2020-12. */
function tupleOf({ prefixItems, items }: SchemaObject): Schema[] {
  return schemasOf(prefixItems ?? items)
}

function itemAt(part: SchemaObject, index: number): Schema {
  const { items, additionalItems } = part
  const rest = Array.isArray(items) ? additionalItems : items
  return tupleOf(part)[index] ?? (isSchemaValue(rest) ? rest : true)
}

/** The longest array that is valid: a tuple that is closed ends itself. */
function mostItems(parts: readonly SchemaObject[]): number {
  const ends = parts.filter((part) => itemAt(part, tupleOf(part).length) === false).map((part) => tupleOf(part).length)
  return Math.min(smallest(parts, 'maxItems'), ...ends)
}
