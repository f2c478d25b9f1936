import type { IndexShape } from '../../search/index-shape.ts'
import type { FieldFilter, FilterScalar, SearchQuery } from '../../search/search-engine.ts'
import { filterText } from './_document-row.ts'
import { fieldLabels } from './_field-labels.ts'
import { firstValue, type IndexTables, notTruncated } from './_index-tables.ts'
import type { TextQuery } from './_text-query.ts'

/** A statement composed for one search: values are always parameters. */
export interface ComposedQuery {
  readonly text: string
  readonly values: readonly unknown[]
}

export interface MatchedQueryOptions {
  readonly tables: IndexTables
  readonly shape: IndexShape
  readonly query: SearchQuery
  /** `undefined`: everything. */
  readonly text: TextQuery | undefined
  /** Rows to bring back. */
  readonly from: number
  readonly count: number
}

/** So many matches are counted and ranked; beyond, a total is only a lower bound. */
export const maxMatches = 10_000
/** So many documents whose fields begin with the words are ranked in any case. */
const maxBeginnings = 500

/** Worth of a field that begins with the words, and of the words one behind the other, beside `ts_rank` values below 1. */
const beginningWorth = 0.5
const phraseWorth = 0.5

/** One round trip: how many match, the wanted rows in order, and the counts of the facets. */
export function matchedQuery(options: MatchedQueryOptions): ComposedQuery {
  const { query, text } = options
  const values: unknown[] = []
  const value = (given: unknown): string => `$${values.push(given)}`
  const matched = text !== undefined && query.sort.length === 0 ? ranked(options, text, value) : sorted(options, value)
  return {
    text: `with ${matched}
      select (select count(*)::integer from matched) as total,
        coalesce((select json_agg(json_build_array(d.id, d.document) order by place)
           from page join ${options.tables.documents} d on d.ctid = page.at), '[]') as rows
        ${query.facets.map((facet, i) => `, ${facetCounts(facet, value)} as facet${i}`).join('')}`,
    values,
  }
}

/** The best by what Postgres can tell; relevance.ts then puts the first of them in order. */
function ranked({ tables, shape, query, from, count }: MatchedQueryOptions, text: TextQuery, value: Value): string {
  // What begins with the words has them, too: asking for both would look up the beginnings of words twice.
  const begins = `terms @@ ${value(text.begins)}::tsquery`
  const match = `terms @@ ${value(text.match)}::tsquery`
  const where = conditions({ shape, query, text }, value).join(' and ')
  const columns = `id, ctid as at, ${coarseScore(shape, text, value)}`
  const facetColumn = query.facets.length > 0 ? ', filters' : ''
  return `beginnings as materialized (
      select ${columns} + ${beginningWorth} as coarse${facetColumn} from ${tables.documents}
       where ${begins} and ${where} limit ${maxBeginnings}
    ), matched as materialized (
      select * from beginnings
      union all
      (select ${columns} as coarse${facetColumn} from ${tables.documents}
        where ctid not in (select at from beginnings) and ${match} and ${where} limit ${maxMatches + 1})
    ), page as (
      select at, row_number() over () as place from (
        select at from matched order by coarse desc, id limit ${value(count)} offset ${value(from)}) best
    )`
}

/** The page comes from an index in the wanted order where there is one; counting is another scan that ends early. */
function sorted({ tables, shape, query, text, from, count }: MatchedQueryOptions, value: Value): string {
  const match = text === undefined ? 'true' : `terms @@ ${value(text.match)}::tsquery`
  const where = [match, ...conditions({ shape, query, text }, value)].join(' and ')
  const order = [...query.sort.map(({ field, order: way }) => `(${firstValue(field)}) ${way} nulls last`), 'id'].join(
    ', ',
  )
  return `matched as materialized (
      select ${query.facets.length > 0 ? 'filters' : '1'} from ${tables.documents} where ${where} limit ${maxMatches + 1}
    ), page as (
      select at, row_number() over () as place from (
        select ctid as at from ${tables.documents} where ${where}
         order by ${order} limit ${value(count)} offset ${value(from)}) best
    )`
}

function conditions(
  { shape, query, text }: Pick<MatchedQueryOptions, 'shape' | 'query' | 'text'>,
  value: Value,
): string[] {
  return [
    'document is not null',
    notTruncated(value(shape.name)),
    ...(text?.check === undefined ? [] : [`ts_rank(terms, ${value(text.check)}::tsquery) > 0`]),
    ...query.filters.map((filter) => filterCondition(filter, value)),
  ]
}

type Value = (given: unknown) => string

/** The longer a document, the less a match says (option 1). */
function coarseScore(shape: IndexShape, text: TextQuery, value: Value): string {
  const weights = `{${fieldLabels(shape.search).weights.join(',')}}`
  const rank = `ts_rank(${value(weights)}::float4[], terms, ${value(text.rank)}::tsquery, 1)`
  if (text.phrase === undefined) return rank
  return `${rank} + case when terms @@ ${value(text.phrase)}::tsquery then ${phraseWorth} else 0 end`
}

function filterCondition({ field, condition }: FieldFilter, value: Value): string {
  const { kind } = condition
  if (kind === 'missing') return `not filters ? ${value(field)}`
  if (kind === 'in') {
    const each = condition.values.map(
      (item) => `filters @> ${value(JSON.stringify({ [field]: [stored(item)] }))}::jsonb`,
    )
    return each.length === 0 ? 'false' : `(${each.join(' or ')})`
  }
  const first = firstValue(field)
  const type = typeof condition.value === 'string' ? 'string' : 'number'
  const bound = value(JSON.stringify(stored(condition.value)))
  // Postgres sorts JSON values by type first, so a bound alone would let other types pass.
  return `(${first}) ${condition.op} ${bound}::jsonb and jsonb_typeof(${first}) = '${type}'`
}

function stored(item: FilterScalar): FilterScalar {
  return typeof item === 'string' ? filterText(item) : item
}

function facetCounts({ field, limit }: { field: string; limit: number }, value: Value): string {
  return `(select coalesce(json_agg(json_build_object('value', item, 'count', n) order by n desc, item), '[]') from (
      select item, count(*)::integer as n from matched, jsonb_array_elements(matched.filters -> ${value(field)}) item
       group by item order by n desc, item limit ${value(limit)}) counted)`
}
