import type { FencedDocument } from '../../search/search-engine.ts'
import type { Statement } from '../../store/sql.ts'
import type { Transaction } from '../../store/store.ts'
import type { DocumentRow } from './_document-row.ts'
import { type IndexTables, outdated } from './_index-tables.ts'

/** One statement writes a batch. The version in the condition is the fence: an older write changes nothing. */
export function writeStatement({ documents, newWords, hash }: IndexTables): Statement {
  return {
    name: `millrace-search-write-${hash}`,
    text: `with words as (insert into ${newWords} (terms) select $6::text[] where cardinality($6::text[]) > 0)
      insert into ${documents} as d (id, version, document, terms, filters)
      select * from unnest($1::text[], $2::bigint[], $3::json[], $4::tsvector[], $5::jsonb[])
      on conflict (id) do update set version = excluded.version, document = excluded.document,
        terms = excluded.terms, filters = excluded.filters
      where excluded.version > d.version`,
  }
}

export interface WriteDeps {
  readonly tables: IndexTables
  readonly statement: Statement
  readonly rowOf: (document: NonNullable<FencedDocument['document']>) => DocumentRow
  /** Those of the words that are not known to be in the table of words. */
  readonly unknownWords: (words: Iterable<string>) => string[]
}

/** Says whether the batch brought words that may be new. */
export async function writeDocuments(
  deps: WriteDeps,
  tx: Transaction,
  batch: readonly FencedDocument[],
): Promise<boolean> {
  const ids: string[] = []
  const versions: number[] = []
  const documents: (string | null)[] = []
  const terms: (string | null)[] = []
  const filters: (string | null)[] = []
  const words = new Set<string>()
  for (const { id, version, document } of newestById(batch)) {
    const row = document === null ? undefined : deps.rowOf(document)
    ids.push(id)
    versions.push(version)
    documents.push(row?.document ?? null)
    terms.push(row?.terms ?? null)
    filters.push(row?.filters ?? null)
    for (const word of row?.words ?? []) words.add(word)
  }
  if (ids.length === 0) return false
  const unknown = deps.unknownWords(words)
  try {
    await tx.run(deps.statement, [ids, versions, documents, terms, filters, unknown])
  } catch (error) {
    throw outdated(deps.tables.index, error)
  }
  return unknown.length > 0
}

/** In the order of ids: two batches that meet take their rows in one order and cannot wait for each other in a ring. */
function newestById(batch: readonly FencedDocument[]): FencedDocument[] {
  const newest = new Map<string, FencedDocument>()
  for (const entry of batch) {
    const other = newest.get(entry.id)
    if (other === undefined || entry.version > other.version) newest.set(entry.id, entry)
  }
  return [...newest.values()].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
}
