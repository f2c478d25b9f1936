import { PlatformError } from '../../kernel/errors.ts'
import type { IndexShape } from '../../search/index-shape.ts'
import { quoteName } from '../../store/sql.ts'
import { sqlState, type Transaction } from '../../store/store.ts'

/** The tables of one index, quoted for SQL. Their names carry the definition's hash: another definition, other tables. */
export interface IndexTables {
  readonly index: string
  readonly hash: string
  /** A row for each id: the document, or `null` for one that is gone, under the version that says so. */
  readonly documents: string
  /** Every word of the documents with its deletion neighbours, to find what a mistyped word was meant to be. */
  readonly words: string
  /** Words on their way there, a row for each batch. */
  readonly newWords: string
}

export function indexTables({ name, hash }: IndexShape): IndexTables {
  // 63 bytes is all that Postgres keeps of a name.
  const base = `index_${name.replace(/[^a-z0-9]/g, '_').slice(0, 40)}_${hash.slice(0, 8)}`
  const table = (suffix: string): string => quoteName(`millrace.${base}${suffix}`)
  return { index: name, hash, documents: table(''), words: table('_words'), newWords: table('_new') }
}

/** See `SearchEngine.prepare`. The tables are those of the hash, so only a definition as stored can read or write them. */
export async function prepareTables(tx: Transaction, shape: IndexShape): Promise<{ rebuild: boolean }> {
  const tables = indexTables(shape)
  await tx.sql`select pg_advisory_xact_lock(hashtextextended(${`millrace index ${shape.name}`}, 0))`
  const [stored] = await tx.sql<{ hash: string; table_name: string; there: boolean }>`
    select hash, table_name, to_regclass(${tables.documents}) is not null as there
      from millrace.search_indexes where name = ${shape.name}`
  if (stored?.hash === shape.hash && stored.there) return { rebuild: false }
  if (stored !== undefined) await dropTables(tx, stored.table_name)
  await createTables(tx, shape, tables)
  await tx.sql`insert into millrace.search_indexes (name, hash, table_name)
    values (${shape.name}, ${shape.hash}, ${tables.documents})
    on conflict (name) do update set hash = excluded.hash, table_name = excluded.table_name, floor = 0, created_at = now()`
  return { rebuild: true }
}

/** Waits for the transactions that write there; later ones of an older definition find no table. */
async function dropTables(tx: Transaction, documents: string): Promise<void> {
  const base = documents.replace(/"$/, '')
  await tx.client.query({ text: `drop table if exists ${documents}, ${base}_words", ${base}_new"` })
}

async function createTables(tx: Transaction, shape: IndexShape, tables: IndexTables): Promise<void> {
  const statements = [
    // json, not jsonb: hits keep the order of the document's fields. The free space lets a change that touches neither
    // words nor filters stay on its page and out of every index.
    `create table ${tables.documents} (
       id text primary key, version bigint not null, document json, terms tsvector, filters jsonb
     ) with (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05)`,
    // A long pending list makes every search slow and one writer wait; a short one is worked off as it comes.
    `create index on ${tables.documents} using gin (terms) with (gin_pending_list_limit = 512)`,
    `create index on ${tables.documents} (version) where document is null`,
    ...(shape.filters.length === 0
      ? []
      : [`create index on ${tables.documents} using gin (filters jsonb_path_ops) with (gin_pending_list_limit = 512)`]),
    // One for each direction of sorting: documents without a value come last in both.
    ...shape.filters.flatMap((field) =>
      ['asc', 'desc'].map(
        (way) => `create index on ${tables.documents} ((${firstValue(field)}) ${way} nulls last, id)`,
      ),
    ),
    `create table ${tables.words} (term text primary key, neighbours integer[] not null)`,
    `create index on ${tables.words} using gin (neighbours) with (gin_pending_list_limit = 512)`,
    `create table ${tables.newWords} (terms text[] not null)`,
  ]
  for (const text of statements) await tx.client.query({ text })
}

/** The value of a filter field that ranges and sorting look at; as in the index of that field. */
export function firstValue(field: string): string {
  return `filters -> ${quoteText(field)} -> 0`
}

/**
 * Holds for documents that no truncation hides. Written so that the planner takes it to hold for most rows, as it does.
 * @param index the parameter with the name of the index
 */
export function notTruncated(index: string): string {
  return `(version <= (select floor from millrace.search_indexes where name = ${index})) is not true`
}

/** A text constant in SQL: index expressions take no parameters. */
function quoteText(text: string): string {
  return text.includes('\\')
    ? ` E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
    : `'${text.replaceAll("'", "''")}'`
}

/** Says what a missing table means: the index was made anew by another definition. */
export function outdated(index: string, error: unknown): unknown {
  if (sqlState(error) !== '42P01') return error
  return new PlatformError('SEARCH_OUTDATED', `index "${index}" is no longer stored as this process defines it`, {
    cause: error,
  })
}
