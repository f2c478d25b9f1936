import { highlights } from '../../search/highlight.ts'
import type { IndexShape } from '../../search/index-shape.ts'
import { fieldTexts, type QueryWord, type Relevance, relevance, writtenWord } from '../../search/relevance.ts'
import type { EngineAnswer, EngineHit, FacetCount, IndexedDocument, SearchQuery } from '../../search/search-engine.ts'
import { queryTerms } from '../../search/words.ts'
import type { Store } from '../../store/store.ts'
import { type CorrectionDeps, understand } from './_corrections.ts'
import { outdated } from './_index-tables.ts'
import { matchedQuery, maxMatches } from './_matched-query.ts'
import { type Need, textQuery } from './_text-query.ts'

export interface FindDeps extends Omit<CorrectionDeps, 'sql'> {
  readonly store: Store
  readonly shape: IndexShape
}

/** Further words of a query are left out. */
const maxWords = 16
/** So many of the best candidates are put in order exactly; beyond, the order is that of Postgres. */
const window = 100
/** With no more matches than this, rare words of the query are doubted. */
const few = 2

/** See `IndexDefinition.search`. */
export async function findDocuments(deps: FindDeps, query: SearchQuery): Promise<EngineAnswer> {
  const written = writtenWords(query.text)
  if (written.length === 0 && query.text.trim() !== '') return { ...nothing, facets: emptyFacets(query) }
  try {
    const first = await find(deps, query, { words: written, required: written, need: 'every' })
    if (first.total > few || written.length === 0) return answer(first, written)
    return answer(await findMeant(deps, query, { written, first }), written)
  } catch (error) {
    throw outdated(deps.shape.name, error)
  }
}

/** Only the last word may be unfinished: it is the one being typed. */
function writtenWords(text: string): QueryWord[] {
  const terms = queryTerms(text, maxWords)
  const typing = /[\p{L}\p{N}\p{M}]$/u.test(text)
  return terms.map((term, i) => writtenWord(term, typing && i === terms.length - 1))
}

interface Found {
  written: readonly QueryWord[]
  first: Finding
}

/** The query found nothing or next to nothing: takes its words for others, then asks for fewer of them. */
async function findMeant(deps: FindDeps, query: SearchQuery, { written, first }: Found): Promise<Finding> {
  const { words, likely, changed } = await deps.store.transaction(async ({ sql }) => {
    // The planner thinks little of look-ups of single words in a small or new table, and reads all of it.
    await sql`set local enable_seqscan = off`
    return understand({ ...deps, sql }, written, first.total === 0)
  })
  if (first.total > 0) return changed ? find(deps, query, { words, required: words, need: 'every' }) : first
  if (likely.length === 0) return first
  const all = changed ? await find(deps, query, { words, required: words, need: 'every' }) : first
  if (all.total > 0) return all
  for (const need of needsOf(likely.length)) {
    const some = await find(deps, query, { words: likely, required: likely, need })
    if (some.total > 0) return some
  }
  return first
}

/** Of fewer than three words, all but one is any one. */
function needsOf(count: number): Need[] {
  if (count < 2) return ['every']
  return count === 2 ? ['every', 'any'] : ['every', 'all but one', 'any']
}

interface Wanted {
  /** Count for the score. */
  words: readonly QueryWord[]
  /** Of these, as many as `need` says must be met. */
  required: readonly QueryWord[]
  need: Need
}

interface Finding {
  total: number
  hits: EngineHit[]
  facets: Record<string, FacetCount[]>
  /** The query as the best hit meets it. */
  understood: string
}

type Row = [id: string, document: IndexedDocument]

async function find(deps: FindDeps, query: SearchQuery, { words, required, need }: Wanted): Promise<Finding> {
  const text = required.length === 0 ? undefined : textQuery(required, need)
  const ranked = text !== undefined && query.sort.length === 0 && query.offset < window
  const from = ranked ? 0 : query.offset
  const count = ranked ? Math.max(window, query.offset + query.limit) : query.limit
  const composed = matchedQuery({ ...deps, query, text, from, count })
  const [row] = await deps.store.sql.query<{ total: number; rows: Row[] } & Record<string, unknown>>(
    composed.text,
    composed.values,
  )
  const rows = (row?.rows ?? []).map((found) => scored(deps.shape, words, found))
  const ordered = ranked ? reordered(rows) : rows
  const page = ranked ? ordered.slice(query.offset, query.offset + query.limit) : ordered
  return {
    total: row?.total ?? 0,
    hits: page.map((found) => hitOf(found, words, query.highlight)),
    facets: Object.fromEntries(query.facets.map(({ field }, i) => [field, row?.[`facet${i}`] as FacetCount[]])),
    understood: understoodText(words, ordered[0]?.relevance.met ?? []),
  }
}

interface Scored {
  id: string
  document: IndexedDocument
  fields: ReturnType<typeof fieldTexts>
  relevance: Relevance
}

function scored(shape: IndexShape, words: readonly QueryWord[], [id, document]: Row): Scored {
  const fields = fieldTexts(shape, document)
  return { id, document, fields, relevance: relevance(words, fields) }
}

/** A stable sort: ties stay in the order of Postgres, which ends with the id. */
function reordered(rows: Scored[]): Scored[] {
  const head = rows.slice(0, window).sort((a, b) => b.relevance.score - a.relevance.score)
  return [...head, ...rows.slice(window)]
}

function hitOf(
  { id, document, fields, relevance: { score } }: Scored,
  words: readonly QueryWord[],
  mark: boolean,
): EngineHit {
  const hit = { id, score: Math.round(score * 10_000) / 10_000, document }
  return mark ? { ...hit, highlights: highlights(words, fields) } : hit
}

/** A word that is still being typed stays as it is. */
function understoodText(words: readonly QueryWord[], met: readonly (string | undefined)[]): string {
  return words
    .map(({ text, unfinished }, i) => (unfinished && met[i]?.startsWith(text) === true ? text : (met[i] ?? text)))
    .join(' ')
}

const nothing: EngineAnswer = { total: 0, totalIsLowerBound: false, hits: [], facets: {}, corrected: undefined }

function emptyFacets(query: SearchQuery): Record<string, FacetCount[]> {
  return Object.fromEntries(query.facets.map(({ field }) => [field, []]))
}

function answer({ total, hits, facets, understood }: Finding, written: readonly QueryWord[]): EngineAnswer {
  const asWritten = written.map(({ text }) => text).join(' ')
  return {
    total: Math.min(total, maxMatches),
    totalIsLowerBound: total > maxMatches,
    hits,
    facets,
    corrected: hits.length === 0 || understood === asWritten ? undefined : understood,
  }
}
