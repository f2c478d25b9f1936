import type { Transaction } from '../store/store.ts'

/** Fields by name, as JSON values. */
export type IndexedDocument = Readonly<Record<string, unknown>>

/** What the log says of one document. */
export interface FencedDocument {
  readonly id: string
  /** Position in the log of the change that made it. */
  readonly version: number
  /** `null`: there is none, either deleted or left out. */
  readonly document: IndexedDocument | null
}

export type FilterScalar = string | number | boolean

/** A value must pass each of its field's conditions; a field with several values passes when one of them does. */
export type FilterCondition =
  | { readonly kind: 'in'; readonly values: readonly FilterScalar[] }
  | { readonly kind: 'missing' }
  | { readonly kind: 'range'; readonly op: '>' | '>=' | '<' | '<='; readonly value: string | number }

export interface FieldFilter {
  readonly field: string
  readonly condition: FilterCondition
}

/** A checked search: all fields are declared, all numbers in their bounds. */
export interface SearchQuery {
  readonly text: string
  readonly filters: readonly FieldFilter[]
  /** Which fields' values to count, and how many values to name of each. */
  readonly facets: readonly { readonly field: string; readonly limit: number }[]
  /** Instead of relevance, which then only breaks ties. */
  readonly sort: readonly { readonly field: string; readonly order: 'asc' | 'desc' }[]
  readonly highlight: boolean
  readonly limit: number
  readonly offset: number
}

export interface EngineHit {
  readonly id: string
  /** From 0 to 1; never grows along the hits unless they are sorted otherwise. */
  readonly score: number
  readonly document: IndexedDocument
  /** HTML by field: escaped text in which `<mark>` shows what matched. */
  readonly highlights?: Readonly<Record<string, string>>
}

export interface FacetCount {
  readonly value: FilterScalar
  readonly count: number
}

export interface EngineAnswer {
  readonly total: number
  /** More matched than are counted: `total` is the bound. Facets are then counted over that many. */
  readonly totalIsLowerBound: boolean
  readonly hits: readonly EngineHit[]
  readonly facets: Readonly<Record<string, readonly FacetCount[]>>
  /** The query as it was understood, when a word of it was taken for another. */
  readonly corrected: string | undefined
}

/**
 * Keeps and searches the documents of one index. Meaning is pinned by `searchEngineCases`.
 *
 * Writes come fenced and in any order, perhaps twice: for every id the highest version stands, whether document or
 * deletion, and nothing at or below the highest truncation is ever shown.
 */
export interface SearchEngine {
  /**
   * Makes the storage ready; call it before anything else, also when nothing changed. When the index is new or its
   * definition differs from what is stored, the storage is made anew and empty and `rebuild` is true: the caller moves
   * its place in the log to the beginning in the same transaction, so that both happen or neither. Processes that still
   * run the older definition get SEARCH_OUTDATED from then on.
   */
  prepare(tx: Transaction): Promise<{ rebuild: boolean }>
  /** Writes what is newer than what stands there. Several versions of one id may come in one batch. */
  apply(tx: Transaction, batch: readonly FencedDocument[]): Promise<void>
  /** Hides everything up to and including `version`, whenever it comes. */
  truncate(tx: Transaction, version: number): Promise<void>
  search(query: SearchQuery): Promise<EngineAnswer>
  get(id: string): Promise<IndexedDocument | undefined>
  /** Resolves when everything committed before is found in every way, mistyped words included. */
  refresh(): Promise<void>
  /**
   * Forgets deletions up to and including `version`, and says how many. Safe once no write of these versions can come
   * any more: every place of the index in the log is past it.
   */
  purge(version: number): Promise<number>
  /** Ends what runs in the background. The store stays open: its owner closes it. */
  close(): Promise<void>
}
