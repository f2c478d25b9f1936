import type { Queryable, Statement } from '../store/sql.ts'
import { appendOnTerms } from './append-on-terms.ts'
import { columnsOf } from './event-columns.ts'
import type { NewRecord } from './record.ts'

/** Rows go in in the order given: a set-returning unnest is read front to back, and ordinals are taken as rows go in. */
const appendStatement: Statement = {
  name: 'millrace-append',
  text: `insert into millrace.events (id, type, version, key, data, meta)
    select * from unnest($1::uuid[], $2::text[], $3::smallint[], $4::text[], $5::json[], $6::json[])`,
}

/**
 * Appends events through the given client: in its transaction when one is open, which makes them exist exactly if that
 * transaction commits. Order of `records` is their order in the log. Those with terms may be stored for later or not at
 * all; without an open transaction each kind commits by itself.
 */
export async function append(client: Queryable, records: readonly NewRecord[]): Promise<void> {
  if (records.length === 0) return
  if (records.some(({ terms }) => terms !== undefined)) return appendOnTerms(client, records)
  await client.query({ ...appendStatement, values: columnsOf(records) })
}
