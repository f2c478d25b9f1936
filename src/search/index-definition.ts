import type { TableDefinition } from '../events/table.ts'
import { Binding } from '../kernel/binding.ts'
import { PlatformError } from '../kernel/errors.ts'
import { checkName } from '../kernel/names.ts'
import { resolveOptions } from '../kernel/options.ts'
import type { Fields } from '../kernel/schema.ts'
import { valueFromText } from '../kernel/text-values.ts'
import { type IndexShape, indexShape } from './index-shape.ts'
import type { EngineAnswer, FacetCount, SearchEngine } from './search-engine.ts'
import { type SearchOptions, searchQuery } from './search-options.ts'

/** A field of `D`, perhaps with a weight such as `^3`. */
export type WeightedField<D> = (keyof D & string) | `${keyof D & string}^${number}`

/** Names that a hit has beside the fields of its document. */
interface Reserved {
  score?: never
  highlights?: never
}

export interface IndexOptions<R, K extends string, D extends object, S extends string, F extends string> {
  /** The table to follow: each row is a document under its key. */
  from: TableDefinition<R, K>
  /**
   * Makes the document of a row; `null` leaves the row out. It is stored as JSON and comes back in hits. It must depend
   * on the row alone: it runs again only when the row changes, or when this function's own text does.
   */
  document: (row: R) => (D & Reserved) | null | Promise<(D & Reserved) | null>
  /** The fields that are searched, with weights: `['title^3', 'director']`. */
  search: readonly S[]
  /** The fields to filter, sort and count by. @default none */
  filters?: readonly F[]
}

/**
 * Makes a field that the document lacks a type error. Asked only once the document's type is known: named in the
 * options themselves, the fields would take part in inferring it.
 */
interface KnownFields<D, S extends string, F extends string> {
  search: [S] extends [WeightedField<D>] ? unknown : readonly WeightedField<D>[]
  filters?: [F] extends [keyof D] ? unknown : readonly (keyof D & string)[]
}

type IsUnion<T, U = T> = T extends unknown ? ([U] extends [T] ? false : true) : never

/** The key of a row as its JSON type; several key columns are one text (`TableDefinition.keyText`). */
export type DocumentId<R, K extends string> = [K] extends [keyof R]
  ? IsUnion<K> extends true
    ? string
    : R[K]
  : string | number

export type Hit<D, Id> = Omit<D, 'id'> & {
  readonly id: Id
  /** Relevance from 0 to 1, only to be compared within one answer. */
  readonly score: number
  /** HTML of the search fields that matched: escaped text with `<mark>`. Only with `highlight`. */
  readonly highlights?: Readonly<Record<string, string>>
}

export interface SearchResult<D, Id, F extends string> {
  /** How many documents match. */
  readonly total: number
  /** Set when more than `total` match; they are not counted further. */
  readonly totalIsLowerBound?: true
  readonly hits: readonly Hit<D, Id>[]
  /** The most frequent values among the matches, most frequent first. Only with `facets`. */
  readonly facets?: { readonly [K in F]?: readonly FacetCount[] }
  /** The query as it was understood, when a word of it was taken for another: "star wars" for "star wras". */
  readonly corrected?: string
  readonly tookMs: number
}

/** Documents to search, kept true by the changes of a table. Usable while an app that lists it runs. */
export interface IndexDefinition<D = unknown, Id = string | number, F extends string = string> {
  readonly kind: 'index'
  readonly name: string
  readonly from: TableDefinition<unknown>
  readonly shape: IndexShape
  /** What `document` makes of a row. */
  readonly documentOf: (row: unknown) => unknown
  /** Where the platform puts the running engine. */
  readonly binding: Binding<SearchEngine>
  /**
   * Finds documents in which every word of the query is met, best first: as written, as the beginning of a word (the
   * last word only, for search as you type) or, where that finds nothing, mistyped. When no document has all words,
   * those with some are found. An empty query finds everything.
   * @throws SEARCH_INVALID for options that do not fit the index
   */
  search(query: string, options?: SearchOptions<D, F>): Promise<SearchResult<D, Id, F>>
  /** One document as it stands in the index. */
  get(id: Id | string): Promise<D | undefined>
}

/**
 * Declares a search index.
 * @param name its durable name, such as `'catalog'`
 * @example const catalog = index('catalog', { from: films, document: (f) => ({ title: f.title }), search: ['title'] })
 */
export function index<R, K extends string, D extends object, const S extends string, const F extends string = never>(
  name: string,
  options: IndexOptions<R, K, D, S, F> & KnownFields<D, S, F>,
): IndexDefinition<D, DocumentId<R, K>, F> {
  checkName('index', name)
  const { from, document, search, filters } = resolveOptions(`index("${name}")`, defaults, options)
  if (from?.kind !== 'table' || typeof document !== 'function') {
    throw new PlatformError(
      'OPTION_INVALID',
      `index "${name}" needs a table as \`from\` and a function as \`document\``,
    )
  }
  const shape = indexShape({ name, search, filters: filters ?? [], document: document.toString() })
  const binding = new Binding<SearchEngine>(`index "${name}"`)
  const idOf = idReader<DocumentId<R, K>>(from)
  return {
    kind: 'index',
    name,
    from: from as TableDefinition<unknown>,
    shape,
    documentOf: document as (row: unknown) => unknown,
    binding,
    async search(text, given) {
      const startedAt = performance.now()
      const answer = await binding.current.search(searchQuery(shape, text, given))
      return resultOf<D, DocumentId<R, K>, F>(answer, idOf, performance.now() - startedAt)
    },
    get: (id) => binding.current.get(String(id)) as Promise<D | undefined>,
  }
}

const defaults: Record<'from' | 'document' | 'search' | 'filters', unknown> = {
  from: undefined,
  document: undefined,
  search: [],
  filters: [],
}

function resultOf<D, Id, F extends string>(
  answer: EngineAnswer,
  idOf: (key: string) => Id,
  tookMs: number,
): SearchResult<D, Id, F> {
  const hits = answer.hits.map(({ id: key, document, ...rest }) => {
    const id = idOf(key)
    // First for the reader of the JSON, and again because a document may have another field of that name.
    return Object.assign({ id }, document, rest, { id })
  }) as unknown as Hit<D, Id>[]
  return {
    total: answer.total,
    ...(answer.totalIsLowerBound ? { totalIsLowerBound: true } : {}),
    hits,
    ...(Object.keys(answer.facets).length === 0
      ? {}
      : { facets: answer.facets as SearchResult<D, Id, F>['facets'] & {} }),
    ...(answer.corrected === undefined ? {} : { corrected: answer.corrected }),
    tookMs: Math.round(tookMs * 100) / 100,
  }
}

/** Reads a document's id back into the JSON type of its key column. */
function idReader<Id>(table: { key: readonly string[]; fields: Fields }): (key: string) => Id {
  const [only] = table.key
  const field = only === undefined || table.key.length > 1 ? undefined : table.fields[only]
  return (key) => (field === undefined ? key : valueFromText(field, key)) as Id
}
