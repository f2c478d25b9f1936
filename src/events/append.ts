import type { Queryable, Statement } from '../store/sql.ts'
import type { NewRecord } from './record.ts'

/** Rows go in in the order given: a set-returning unnest is read front to back, and ordinals are taken as rows go in. */
const appendStatement: Statement = {
  name: 'millrace-append',
  text: `insert into millrace.events (id, type, version, key, data, meta)
    select * from unnest($1::uuid[], $2::text[], $3::smallint[], $4::text[], $5::json[], $6::json[])`,
}

/**
 * Appends events through the given client: in its transaction when one is open, which makes them exist exactly if that
 * transaction commits. Order of `records` is their order in the log.
 */
export async function append(client: Queryable, records: readonly NewRecord[]): Promise<void> {
  if (records.length === 0) return
  const columns: [string[], string[], number[], (string | null)[], string[], (string | null)[]] = [
    [],
    [],
    [],
    [],
    [],
    [],
  ]
  for (const record of records) {
    columns[0].push(record.id)
    columns[1].push(record.type)
    columns[2].push(record.version)
    columns[3].push(record.key)
    columns[4].push(record.data)
    columns[5].push(record.meta)
  }
  await client.query({ ...appendStatement, values: columns })
}
