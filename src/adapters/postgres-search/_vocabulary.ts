import { messageOf } from '../../kernel/errors.ts'
import type { Logger } from '../../kernel/logger.ts'
import type { Sql } from '../../store/sql.ts'
import type { Store } from '../../store/store.ts'
import { type IndexTables, outdated } from './_index-tables.ts'
import { editsAllowed, neighbours } from './_neighbours.ts'

/** Words that a mistyped word may be meant to be. Numbers are not: 2001 is no slip for 2010. */
const correctable = /^[\p{L}\p{M}]{2,32}$/u

/** Bounds the memory for words known to be stored; past it they are learned anew. */
const maxKnown = 200_000
const mergeRows = 100
const firstMergeMs = 50
const lastMergeMs = 30_000
/** More words near one mistyped word are not looked at. */
const maxCandidates = 2000

/**
 * The words of an index, kept for finding what a mistyped word was meant to be. Writers only append the words that may be
 * new, in their own transaction, and wait for nobody; a merge soon after brings them into the table in transactions of
 * its own. Words are never taken out: whether a word still occurs is asked of the documents.
 */
export class Vocabulary {
  readonly #store: Store
  readonly #tables: IndexTables
  readonly #log: Logger
  readonly #known = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #merging: Promise<void> = Promise.resolve()
  #closed = false

  constructor(store: Store, tables: IndexTables, log: Logger) {
    this.#store = store
    this.#tables = tables
    this.#log = log
  }

  /** Those that may be missing in the table, sorted. */
  unknown(words: Iterable<string>): string[] {
    const out: string[] = []
    for (const word of words) if (!this.#known.has(word) && correctable.test(word)) out.push(word)
    return out.sort()
  }

  /**
   * Merges soon. Nobody says when the writer's transaction commits, so it looks again later and later, and stops when
   * the last look is long after the last write.
   */
  expect(afterMs: number = firstMergeMs): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    this.#timer = setTimeout(() => {
      this.merge()
        .catch((error: unknown) =>
          this.#log.warn(
            { index: this.#tables.index, error: messageOf(error) },
            'words of an index could not be merged',
          ),
        )
        .finally(() => {
          if (afterMs < lastMergeMs) this.expect(afterMs * 2)
        })
    }, afterMs)
    this.#timer.unref()
  }

  /** Brings all committed new words into the table. One merge at a time. */
  merge(): Promise<void> {
    const run = async (): Promise<void> => {
      while (!this.#closed && (await this.#mergeSome()) === mergeRows);
    }
    this.#merging = this.#merging.then(run, run)
    return this.#merging
  }

  /** Stored words whose deletion neighbours meet those of `words`, per word: a superset of the ones near it. */
  async near(sql: Sql, words: readonly string[]): Promise<Map<string, string[]>> {
    const { words: table } = this.#tables
    const rows = await sql.query<{ word: string; terms: string[] }>(
      `select w.word, array(select term from ${table} where neighbours && w.near::integer[] limit ${maxCandidates}) as terms
         from unnest($1::text[], $2::text[]) as w(word, near)`,
      [words, words.map((word) => `{${neighbours(word).join(',')}}`)],
    )
    return new Map(rows.map(({ word, terms }) => [word, terms]))
  }

  /** Which of the words are stored. */
  async stored(sql: Sql, words: readonly string[]): Promise<Set<string>> {
    const rows = await sql.query<{ term: string }>(`select term from ${this.#tables.words} where term = any($1)`, [
      words,
    ])
    return new Set(rows.map(({ term }) => term))
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#merging.catch(() => undefined) // told to whoever asked for that merge
  }

  /** Returns how many batches it took. */
  async #mergeSome(): Promise<number> {
    const { newWords, words: table, index } = this.#tables
    try {
      const merged = await this.#store.transaction(async (tx) => {
        const rows = await tx.sql.query<{ terms: string[] }>(
          `delete from ${newWords} where ctid = any(array(
             select ctid from ${newWords} limit ${mergeRows} for update skip locked)) returning terms`,
        )
        const terms = [...new Set(rows.flatMap((row) => row.terms))].filter((term) => !this.#known.has(term)).sort()
        if (terms.length > 0) {
          // Sorted, and the only locks of this transaction: two merges cannot wait for each other in a ring.
          await tx.sql.query(
            `insert into ${table} (term, neighbours) select term, near::integer[]
               from unnest($1::text[], $2::text[]) as w(term, near) on conflict (term) do nothing`,
            [terms, terms.map((term) => `{${neighbours(term).join(',')}}`)],
          )
        }
        return { terms, rows: rows.length }
      })
      this.#remember(merged.terms)
      return merged.rows
    } catch (error) {
      throw outdated(index, error)
    }
  }

  #remember(terms: readonly string[]): void {
    if (this.#known.size + terms.length > maxKnown) this.#known.clear()
    for (const term of terms) this.#known.add(term)
  }
}

/** Whether a word of a query is long enough and made of letters, so that it may be a slip. */
export function mayBeMistyped(term: string): boolean {
  return editsAllowed(term.length) > 0 && correctable.test(term)
}
