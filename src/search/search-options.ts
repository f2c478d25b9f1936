import { type Issue, PlatformError } from '../kernel/errors.ts'
import type { IndexShape } from './index-shape.ts'
import type { FieldFilter, FilterScalar, SearchQuery } from './search-engine.ts'

type Item<V> = V extends readonly (infer I)[] ? I : V
type Scalar<V> = Extract<Item<V>, FilterScalar>
interface Range<V> {
  gt?: V
  gte?: V
  lt?: V
  lte?: V
}

/** One value, one of several, bounds (numbers, or text such as dates), or `null` for documents without a value. */
export type Filter<V> =
  | Scalar<V>
  | readonly Scalar<V>[]
  | Readonly<Range<Extract<Item<V>, string | number>>>
  | (null extends V ? null : never)
  | (undefined extends V ? null : never)

/** How to search documents of type `D` whose filter fields are `F`. */
export interface SearchOptions<D, F extends string> {
  /** Conditions that all must hold. Text is compared by its first 256 characters. */
  filters?: { readonly [K in F]?: Filter<K extends keyof D ? D[K] : never> }
  /** How many of the most frequent values to count, by field; at most 100 each. */
  facets?: { readonly [K in F]?: number }
  /** Fields to sort by, first first; a leading `-` turns the order. Documents without a value come last. */
  sort?: F | `-${F}` | readonly (F | `-${F}`)[]
  /** Mark in the search fields what matched. @default false */
  highlight?: boolean
  /** Hits of a page, at most 100. @default 20 */
  limit?: number
  /** Hits to skip. `offset + limit` is at most 10,000. @default 0 */
  offset?: number
}

export const maxLimit = 100
export const maxReach = 10_000
const maxFacetValues = 100
const maxFilterValues = 1000
const known = ['filters', 'facets', 'sort', 'highlight', 'limit', 'offset']

/** Checks options that may come from outside. @throws SEARCH_INVALID naming every wrong one */
export function searchQuery(shape: IndexShape, text: unknown, options: unknown): SearchQuery {
  const check = new Check(shape)
  const given = check.record('', options ?? {})
  for (const key of Object.keys(given)) {
    if (!known.includes(key)) check.fail(`/${key}`, `is not an option (${known.join(', ')})`)
  }
  if (typeof text !== 'string') check.fail('', 'the query must be text')
  const limit = check.whole('/limit', given['limit'] ?? 20, 0, maxLimit)
  const query: SearchQuery = {
    text: String(text),
    filters: check.filters(given['filters'] ?? {}),
    facets: check.facets(given['facets'] ?? {}),
    sort: check.sort(given['sort'] ?? []),
    highlight: given['highlight'] === true,
    limit,
    offset: check.whole('/offset', given['offset'] ?? 0, 0, maxReach - limit),
  }
  check.finish()
  return query
}

class Check {
  readonly #shape: IndexShape
  readonly #issues: Issue[] = []

  constructor(shape: IndexShape) {
    this.#shape = shape
  }

  fail(path: string, message: string): void {
    this.#issues.push({ path, message })
  }

  finish(): void {
    if (this.#issues.length === 0) return
    const text = this.#issues.slice(0, 3).map(({ path, message }) => `${path.slice(1)} ${message}`.trim())
    const fields = this.#shape.filters.length === 0 ? 'none' : this.#shape.filters.join(', ')
    throw new PlatformError('SEARCH_INVALID', `search in index "${this.#shape.name}": ${text.join('; ')}`, {
      issues: this.#issues,
      hint: `Filters, facets and sort take the fields that the index declares as filters: ${fields}.`,
    })
  }

  record(path: string, value: unknown): Record<string, unknown> {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
    this.fail(path, 'must be an object')
    return {}
  }

  whole(path: string, value: unknown, least: number, most: number): number {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value
    this.fail(path, `must be a whole number from ${least} to ${most}`)
    return least
  }

  filters(value: unknown): FieldFilter[] {
    return Object.entries(this.record('/filters', value)).flatMap(([field, condition]) => {
      if (condition === undefined || !this.#declared('/filters', field)) return []
      return this.#conditions(field, condition)
    })
  }

  facets(value: unknown): { field: string; limit: number }[] {
    return Object.entries(this.record('/facets', value)).flatMap(([field, limit]) => {
      if (limit === undefined || !this.#declared('/facets', field)) return []
      return [{ field, limit: this.whole(`/facets/${field}`, limit, 1, maxFacetValues) }]
    })
  }

  sort(value: unknown): { field: string; order: 'asc' | 'desc' }[] {
    const list: unknown[] = Array.isArray(value) ? value : [value]
    return list.flatMap((item) => {
      const text = String(item)
      const field = text.replace(/^-/, '')
      return this.#declared('/sort', field) ? [{ field, order: text.startsWith('-') ? 'desc' : 'asc' } as const] : []
    })
  }

  #declared(path: string, field: string): boolean {
    if (this.#shape.filters.includes(field)) return true
    this.fail(`${path}/${field}`, 'is not a filter field of the index')
    return false
  }

  #conditions(field: string, value: unknown): FieldFilter[] {
    const path = `/filters/${field}`
    if (value === null) return [{ field, condition: { kind: 'missing' } }]
    if (typeof value === 'object' && !Array.isArray(value)) return this.#range(path, field, value)
    const values: unknown[] = Array.isArray(value) ? value : [value]
    if (values.length > maxFilterValues) this.fail(path, `names more than ${maxFilterValues} values`)
    if (!values.every(isScalar)) this.fail(path, 'must name texts, numbers or booleans')
    return [{ field, condition: { kind: 'in', values: values.filter(isScalar) } }]
  }

  #range(path: string, field: string, bounds: object): FieldFilter[] {
    return Object.entries(bounds).flatMap(([name, value]: [string, unknown]): FieldFilter[] => {
      const op = operators.get(name)
      if (value === undefined) return []
      if (op === undefined) this.fail(`${path}/${name}`, 'is not a bound (gt, gte, lt, lte)')
      else if (typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value)))
        return [{ field, condition: { kind: 'range', op, value } }]
      else this.fail(`${path}/${name}`, 'must be a number or a text')
      return []
    })
  }
}

const operators = new Map<string, '>' | '>=' | '<' | '<='>([
  ['gt', '>'],
  ['gte', '>='],
  ['lt', '<'],
  ['lte', '<='],
])

function isScalar(value: unknown): value is FilterScalar {
  return (
    typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
  )
}
