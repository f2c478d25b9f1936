import type { Logger } from '../../kernel/logger.ts'
import type { Metrics } from '../../kernel/metrics.ts'
import type { IndexShape } from '../../search/index-shape.ts'
import type { IndexedDocument, SearchEngine } from '../../search/search-engine.ts'
import type { Store } from '../../store/store.ts'
import { documentRows } from './_document-row.ts'
import { findDocuments } from './_find-documents.ts'
import { indexTables, notTruncated, outdated, prepareTables } from './_index-tables.ts'
import { Vocabulary } from './_vocabulary.ts'
import { type WriteDeps, writeDocuments, writeStatement } from './_write-documents.ts'

export interface PostgresSearchOptions {
  /** The caller opened it, so the caller closes it. Its database has the migrations of Millrace. */
  store: Store
  shape: IndexShape
  logger: Logger
  metrics: Metrics
}

/** Keeps one index in tables of its own and searches it with the text search of Postgres; needs no extension. */
export function postgresSearch({ store, shape, logger, metrics }: PostgresSearchOptions): SearchEngine {
  const tables = indexTables(shape)
  const vocabulary = new Vocabulary(store, tables, logger)
  const labels = { index: shape.name }
  const seconds = metrics.histogram('millrace_search_seconds', 'Time of a search.', labels)
  const written = metrics.counter('millrace_search_documents_total', 'Documents written or removed.', labels)
  const write: WriteDeps = {
    tables,
    statement: writeStatement(tables),
    rowOf: documentRows(shape),
    unknownWords: (words) => vocabulary.unknown(words),
  }
  const getText = `select document from ${tables.documents}
    where document is not null and ${notTruncated('$1')} and id = $2`
  // Rows that a writer holds are left to it: waiting for it while it waits for others could go round in a ring.
  const deleteText = (condition: string): string => `delete from ${tables.documents} where ctid = any(array(
      select ctid from ${tables.documents} where ${condition} for update skip locked)) returning 1`
  return {
    async prepare(tx) {
      const prepared = await prepareTables(tx, shape)
      // Words that an earlier process left behind when it ended.
      vocabulary.expect()
      return prepared
    },
    async apply(tx, batch) {
      if (await writeDocuments(write, tx, batch)) vocabulary.expect()
      written.add(batch.length)
    },
    async truncate(tx, version) {
      // The floor hides also what comes late; the rows are deleted only for their space.
      await tx.sql`update millrace.search_indexes set floor = greatest(floor, ${version}) where name = ${shape.name}`
      await tx.sql.query(deleteText(`version <= $1`), [version]).catch((error: unknown) => {
        throw outdated(shape.name, error)
      })
    },
    async search(query) {
      const startedAt = performance.now()
      const answer = await findDocuments({ store, tables, vocabulary, shape }, query)
      seconds.observe((performance.now() - startedAt) / 1000)
      return answer
    },
    async get(id) {
      const [row] = await store.sql
        .query<{ document: IndexedDocument }>(getText, [shape.name, id])
        .catch((error: unknown) => {
          throw outdated(shape.name, error)
        })
      return row?.document
    },
    refresh: () => vocabulary.merge(),
    async purge(version) {
      const gone = await store.sql.query(deleteText('document is null and version <= $1'), [version])
      return gone.length
    },
    close: () => vocabulary.close(),
  }
}
