import { type Gap, wrongType } from './gap.ts'
import type { SchemaObject } from './json-schema.ts'
import type { Variant } from './variants.ts'

/** Gaps of one keyword about types, texts and numbers; `undefined` for other keywords. The values cannot be counted. */
export function scalarGaps(variant: Variant, keyword: string, value: unknown, path: string): Gap[] | undefined {
  const { type, parts } = variant
  switch (keyword) {
    case 'type':
      return typeGaps(variant, value, path)
    case 'const':
    case 'enum':
      return [{ path, from: typeName(variant), to: JSON.stringify(value), why: 'only some values are left' }]
    case 'minLength':
      return type === 'string' ? atLeast(keyword, largest(parts, keyword), value, path) : []
    case 'maxLength':
      return type === 'string' ? atMost(keyword, smallest(parts, keyword), value, path) : []
    case 'pattern':
    case 'format':
      if (type !== 'string' || parts.some((part) => part[keyword] === value)) return []
      return [
        {
          path,
          from: textOf(parts, keyword),
          to: `${keyword} ${String(value)}`,
          why: `texts of another ${keyword} were allowed`,
        },
      ]
    case 'minimum':
    case 'exclusiveMinimum':
      return type === 'number' ? lowerGaps(variant, keyword, value, path) : []
    case 'maximum':
    case 'exclusiveMaximum':
      return type === 'number' ? upperGaps(variant, keyword, value, path) : []
    case 'multipleOf':
      return type === 'number' ? multipleGaps(variant, value, path) : []
    default:
      return undefined
  }
}

function typeGaps(variant: Variant, value: unknown, path: string): Gap[] {
  const names = (Array.isArray(value) ? value : [value]) as unknown[]
  const fits = names.includes(variant.type) || (variant.type === 'number' && variant.whole && names.includes('integer'))
  return fits ? [] : [{ path, from: typeName(variant), to: names.join(' or '), why: wrongType }]
}

export const typeName = ({ type, whole }: Variant): string => (whole ? 'integer' : type)

const numbersOf = (parts: readonly SchemaObject[], keyword: string): number[] =>
  parts.map((part) => part[keyword]).filter((value) => typeof value === 'number')

/** The strictest lower bound that the parts give. */
export function largest(parts: readonly SchemaObject[], keyword: string): number {
  return Math.max(0, ...numbersOf(parts, keyword))
}

export function smallest(parts: readonly SchemaObject[], keyword: string): number {
  return Math.min(Number.POSITIVE_INFINITY, ...numbersOf(parts, keyword))
}

export function atLeast(keyword: string, from: number, to: unknown, path: string): Gap[] {
  return from >= Number(to)
    ? []
    : [{ path, from: `${keyword} ${from}`, to: `${keyword} ${String(to)}`, why: 'smaller ones were allowed' }]
}

export function atMost(keyword: string, from: number, to: unknown, path: string): Gap[] {
  const said = from === Number.POSITIVE_INFINITY ? 'without limit' : `${keyword} ${from}`
  return from <= Number(to)
    ? []
    : [{ path, from: said, to: `${keyword} ${String(to)}`, why: 'larger ones were allowed' }]
}

function lowerGaps({ parts, whole }: Variant, keyword: string, to: unknown, path: string): Gap[] {
  const bound = Number(to)
  const holds = (value: number, exclusive: boolean): boolean =>
    value > bound ||
    (value === bound && (exclusive || keyword === 'minimum')) ||
    (whole && exclusive && Math.floor(value) + 1 > bound)
  const inclusive = numbersOf(parts, 'minimum').map((value) => (whole ? Math.ceil(value) : value))
  if (inclusive.some((value) => holds(value, false))) return []
  if (numbersOf(parts, 'exclusiveMinimum').some((value) => holds(value, true))) return []
  return [
    {
      path,
      from: textOf(parts, 'minimum', 'exclusiveMinimum'),
      to: `${keyword} ${bound}`,
      why: 'smaller numbers were allowed',
    },
  ]
}

function upperGaps({ parts, whole }: Variant, keyword: string, to: unknown, path: string): Gap[] {
  const bound = Number(to)
  const holds = (value: number, exclusive: boolean): boolean =>
    value < bound ||
    (value === bound && (exclusive || keyword === 'maximum')) ||
    (whole && exclusive && Math.ceil(value) - 1 < bound)
  const inclusive = numbersOf(parts, 'maximum').map((value) => (whole ? Math.floor(value) : value))
  if (inclusive.some((value) => holds(value, false))) return []
  if (numbersOf(parts, 'exclusiveMaximum').some((value) => holds(value, true))) return []
  return [
    {
      path,
      from: textOf(parts, 'maximum', 'exclusiveMaximum'),
      to: `${keyword} ${bound}`,
      why: 'larger numbers were allowed',
    },
  ]
}

function multipleGaps({ parts, whole }: Variant, to: unknown, path: string): Gap[] {
  const step = Number(to)
  const steps = [...numbersOf(parts, 'multipleOf'), ...(whole ? [1] : [])]
  // Only whole steps divide without rounding.
  const fits = steps.some(
    (from) => from === step || (Number.isInteger(from) && Number.isInteger(step) && from % step === 0),
  )
  return fits
    ? []
    : [{ path, from: textOf(parts, 'multipleOf'), to: `multipleOf ${step}`, why: 'numbers in between were allowed' }]
}

function textOf(parts: readonly SchemaObject[], ...keywords: readonly string[]): string {
  const said = parts.flatMap((part) =>
    keywords.filter((keyword) => part[keyword] !== undefined).map((keyword) => `${keyword} ${String(part[keyword])}`),
  )
  return said.length === 0 ? 'without limit' : said.join(', ')
}
