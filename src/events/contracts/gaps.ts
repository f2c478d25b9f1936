import { Check } from 'typebox/schema'
import { arrayGaps } from './array-gaps.ts'
import { brief, type Compare, type Gap, hasReference, undecided, wrongType } from './gap.ts'
import { isObject, keywordsOf, type Schema, type SchemaObject, same } from './json-schema.ts'
import { objectGaps } from './object-gaps.ts'
import { scalarGaps } from './scalar-gaps.ts'
import { resolve, schemasOf, TooComplex, type Variant, variantsOf } from './variants.ts'

/**
 * Where values that are valid under `from` may be invalid under `to`; none when every one of them is valid. Never says none
 * wrongly. What it cannot decide (keywords it does not compare that differ, references out of the schema) counts as a gap.
 */
export function gapsBetween(from: Schema, to: Schema): Gap[] {
  return new Comparison(from, to).gaps([from], [to], '')
}

/** One comparison: knows the roots that references are resolved in. */
class Comparison implements Compare {
  readonly #from: Schema
  readonly #to: Schema
  /** Pairs under way: a recursive schema comes back to them, a step deeper in the value. */
  readonly #pending = new Set<string>()
  readonly #ids = new Map<unknown, number>()
  #rootsAreSame: boolean | undefined

  constructor(from: Schema, to: Schema) {
    this.#from = from
    this.#to = to
  }

  /** Values valid under all of `from`, looked at under all of `to`. */
  gaps(from: readonly Schema[], all: readonly Schema[], path: string): Gap[] {
    const to = all.filter((schema) => !from.some((known) => this.#isSame(known, schema)))
    const pair = `${this.#idOf(from)}>${this.#idOf(to)}`
    if (this.#pending.has(pair)) return []
    this.#pending.add(pair)
    try {
      const variants = variantsOf(from, this.#from)
      return distinct(variants.flatMap((variant) => to.flatMap((schema) => this.variantGaps(variant, schema, path))))
    } catch (error) {
      if (error instanceof TooComplex) return [undecided(path, error.message)]
      throw error
    } finally {
      this.#pending.delete(pair)
    }
  }

  variantGaps(variant: Variant, to: Schema, path: string): Gap[] {
    if (to === true) return []
    if (to === false) return [{ path, from: variant.type, to: 'nothing', why: 'no value is valid there any more' }]
    if (variant.values !== undefined) return this.#valueGaps(variant, variant.values, to, path)
    return keywordsOf(to).flatMap(([keyword, value]) => this.#keywordGaps(variant, to, { keyword, value, path }))
  }

  /** Whether no value can be valid under both; false where that is not sure. */
  disjoint(variant: Variant, to: Schema): boolean {
    try {
      const others = variantsOf([to], this.#to)
      return others.every((other) => this.#apart(variant, other, to))
    } catch (error) {
      if (error instanceof TooComplex) return false
      throw error
    }
  }

  #apart(a: Variant, b: Variant, to: Schema): boolean {
    if (a.type !== b.type) return true
    if (a.values !== undefined) return a.values.every((value) => this.#accepts(to, value) === false)
    if (a.type !== 'object') return false
    // A field that both need, with no value in common, such as a `kind`.
    const needs = (variant: Variant): unknown[] =>
      variant.parts.flatMap(({ required }) => (Array.isArray(required) ? (required as unknown[]) : []))
    return needs(a)
      .filter((name) => needs(b).includes(name))
      .some((name) => {
        const values = (variant: Variant): Schema[] =>
          variant.parts.flatMap(({ properties }) =>
            isObject(properties) && Object.hasOwn(properties, String(name)) ? [properties[String(name)] as Schema] : [],
          )
        try {
          const mine = variantsOf(values(a), this.#from).map((one) => one.values)
          const theirs = variantsOf(values(b), this.#to).map((one) => one.values)
          return (
            [...mine, ...theirs].every((list) => list !== undefined) &&
            !mine.flat().some((one) => theirs.flat().some((other) => same(one, other)))
          )
        } catch (error) {
          if (error instanceof TooComplex) return false
          throw error
        }
      })
  }

  #keywordGaps(variant: Variant, to: SchemaObject, at: { keyword: string; value: unknown; path: string }): Gap[] {
    const { keyword, value, path } = at
    switch (keyword) {
      case '$ref':
        return this.#referenceGaps(variant, value, path)
      case 'allOf':
        return schemasOf(value).flatMap((schema) => this.variantGaps(variant, schema, path))
      case 'anyOf':
        return this.#bestOf(schemasOf(value), variant, path).gaps
      case 'oneOf': {
        const { gaps, chosen } = this.#bestOf(schemasOf(value), variant, path)
        if (gaps.length > 0) return gaps
        const clear = schemasOf(value).every((schema, i) => i === chosen || this.disjoint(variant, schema))
        return clear ? [] : [undecided(path, 'more than one alternative of oneOf may take the same value')]
      }
      case 'not':
        if (variant.parts.some((part) => same(part['not'], value) && !hasReference(value))) return []
        return this.disjoint(variant, value as Schema)
          ? []
          : [{ path, from: variant.type, to: `not ${brief(value)}`, why: 'values that are excluded now were allowed' }]
      default:
        return (
          scalarGaps(variant, keyword, value, path) ??
          arrayGaps(this, variant, to, at) ??
          objectGaps(this, variant, to, at) ??
          this.#unknownGaps(variant, to, at)
        )
    }
  }

  #referenceGaps(variant: Variant, ref: unknown, path: string): Gap[] {
    const pair = `${this.#idOf(variant.parts)}>${String(ref)}`
    if (this.#pending.has(pair)) return [undecided(path, `the reference ${String(ref)} leads to itself`)]
    this.#pending.add(pair)
    try {
      return this.variantGaps(variant, resolve(ref, this.#to), path)
    } finally {
      this.#pending.delete(pair)
    }
  }

  /** The alternative that takes all values of the variant, or the one that lacks least. */
  #bestOf(schemas: readonly Schema[], variant: Variant, path: string): { gaps: Gap[]; chosen: number } {
    let best: { gaps: Gap[]; chosen: number } | undefined
    for (const [chosen, schema] of schemas.entries()) {
      const gaps = this.variantGaps(variant, schema, path)
      if (gaps.length === 0) return { gaps, chosen }
      const isNear = !gaps.some((gap) => gap.path === path && gap.why === wrongType)
      if (best === undefined || (isNear && gaps.length <= best.gaps.length)) best = { gaps, chosen }
    }
    return (
      best ?? {
        gaps: [{ path, from: variant.type, to: 'nothing', why: 'no value is valid there any more' }],
        chosen: -1,
      }
    )
  }

  #valueGaps({ type }: Variant, values: readonly unknown[], to: Schema, path: string): Gap[] {
    const lost = values.filter((value) => this.#accepts(to, value) !== true)
    if (lost.length === values.length && (type === 'null' || type === 'boolean'))
      return [{ path, from: type, to: brief(to), why: wrongType }]
    return lost.map((value) => ({
      path,
      from: JSON.stringify(value),
      to: brief(to),
      why: 'this value is not valid any more',
    }))
  }

  /** `undefined` where that is not sure. */
  #accepts(schema: Schema, value: unknown): boolean | undefined {
    if (typeof schema === 'boolean') return schema
    const text = JSON.stringify(schema)
    if (text.includes('"$ref":"#"') || text.includes('"$dynamicRef"')) return undefined
    const root = isObject(this.#to) ? this.#to : {}
    const { $defs, definitions } = root
    try {
      return Check(
        { ...schema, ...(isObject($defs) ? { $defs } : {}), ...(isObject(definitions) ? { definitions } : {}) },
        value,
      )
    } catch {
      return undefined
    }
  }

  /** A keyword that is not understood: the other side must say the very same. */
  #unknownGaps(
    variant: Variant,
    to: SchemaObject,
    { keyword, value, path }: { keyword: string; value: unknown; path: string },
  ): Gap[] {
    if (annotations.has(keyword) || keyword.startsWith('x-')) return []
    const group = groups.find((names) => names.includes(keyword)) ?? [keyword]
    const isSame = (part: SchemaObject): boolean =>
      group.every((name) => same(part[name], to[name]) && !hasReference(to[name]))
    if (variant.parts.some(isSame)) return []
    return [
      {
        path,
        from: brief(variant.parts[0]?.[keyword]),
        to: `${keyword} ${brief(value)}`,
        why: `a changed \`${keyword}\` cannot be compared`,
      },
    ]
  }

  /** The same text means the same where it refers to nothing, or to the same. */
  #isSame(from: Schema, to: Schema): boolean {
    return same(from, to) && (!hasReference(to) || this.#sameRoots())
  }

  #sameRoots(): boolean {
    this.#rootsAreSame ??= same(this.#from, this.#to)
    return this.#rootsAreSame
  }

  #idOf(schemas: readonly unknown[]): string {
    return schemas
      .map((schema) => {
        const known = this.#ids.get(schema) ?? this.#ids.size
        this.#ids.set(schema, known)
        return known
      })
      .join(',')
  }
}

/** Keywords with schemas for the same value. */
const inPlace = ['$ref', 'allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'dependentSchemas']

/** Keywords that mean something only together. */
const groups: readonly (readonly string[])[] = [
  ['if', 'then', 'else'],
  ['contains', 'minContains', 'maxContains'],
  ['unevaluatedProperties', 'properties', 'patternProperties', 'additionalProperties', ...inPlace],
  ['unevaluatedItems', 'items', 'prefixItems', 'contains', ...inPlace],
]
const annotations = new Set([
  '$anchor',
  '$dynamicAnchor',
  '$vocabulary',
  'contentEncoding',
  'contentMediaType',
  'contentSchema',
  '~kind',
  '~optional',
])

/** One gap for each place and reason. */
function distinct(gaps: readonly Gap[]): Gap[] {
  const merged = new Map<string, Gap & { froms: string[] }>()
  for (const gap of gaps) {
    const key = JSON.stringify([gap.path, gap.to, gap.why])
    const known = merged.get(key)
    if (known === undefined) merged.set(key, { ...gap, froms: [gap.from] })
    else if (!known.froms.includes(gap.from)) known.froms.push(gap.from)
  }
  return [...merged.values()].map(({ froms, ...gap }) => ({
    ...gap,
    from: froms.length < 6 ? froms.join(' or ') : 'any value',
  }))
}
