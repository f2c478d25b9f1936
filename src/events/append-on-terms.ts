import type { Queryable, Statement } from '../store/sql.ts'
import { columnsOf } from './event-columns.ts'
import type { NewRecord, PublishTerms } from './record.ts'

/** A process that keeps the time looks this often at what is due next: what is due later needs no wake-up. */
export const lookMs = 500

/**
 * Takes the keys that are free. Whoever finds a key in an open transaction waits for its end, and then sees whether it is
 * taken. Sorted, so that two batches never wait for each other. Parameters: keys, until, now.
 */
const takeKeys = (first: number): string => `
  taken as (
    insert into millrace.event_ids as e (once, until)
    select once, until from unnest($${first}::uuid[], $${first + 1}::timestamptz[]) as o(once, until) where once is not null order by once
    on conflict (once) do update set until = excluded.until where e.until <= $${first + 2}
    returning once)`
const isFirst = '(r.once is null or r.once in (select once from taken))'
const rows = `unnest($1::uuid[], $2::text[], $3::smallint[], $4::text[], $5::json[], $6::json[], $7::uuid[]`

const onceStatement: Statement = {
  name: 'millrace-append-once',
  text: `with ${takeKeys(7)}
    insert into millrace.events (id, type, version, key, data, meta)
    select id, type, version, key, data, meta
      from ${rows}) with ordinality as r(id, type, version, key, data, meta, once, place)
     where ${isFirst} order by place`,
}

// A second id among the waiting is the same event published again after its time was up.
const laterStatement: Statement = {
  name: 'millrace-append-later',
  text: `with ${takeKeys(7)}, stored as (
      insert into millrace.scheduled (id, type, version, key, data, meta, once, due_at, created_at)
      select id, type, version, key, data, meta, once, due_at, $9
        from ${rows}, $10::timestamptz[]) with ordinality as r(id, type, version, key, data, meta, once, due_at, place)
       where ${isFirst} order by place
      on conflict (id) do nothing returning due_at)
    select pg_notify('millrace_scheduled', '') where exists (select from stored where due_at <= $11)`,
}

/** Appends events of which some are for later, or to be stored once only. */
export async function appendOnTerms(client: Queryable, records: readonly NewRecord[]): Promise<void> {
  const wanted = firstOfEach(records)
  const now = wanted.find(({ terms }) => terms !== undefined)?.terms?.publishedAt ?? new Date()
  const isLater = ({ terms }: NewRecord): boolean => terms?.dueAt !== undefined
  const atOnce = wanted.filter((record) => !isLater(record))
  const later = wanted.filter(isLater)
  if (atOnce.length > 0)
    await client.query({ ...onceStatement, values: [...columnsOf(atOnce), ...onceColumns(atOnce), now] })
  if (later.length > 0) {
    const due = later.map(({ terms }) => terms?.dueAt)
    const soon = new Date(now.getTime() + 2 * lookMs)
    const values = [...columnsOf(later), ...onceColumns(later), now, due, soon]
    await client.query({ ...laterStatement, values })
  }
}

/** Without those whose key an earlier one of the same batch has: Postgres refuses to meet a row twice. */
function firstOfEach(records: readonly NewRecord[]): NewRecord[] {
  const seen = new Set<string>()
  return records.filter(({ terms }) => {
    const key = terms?.once?.key
    if (key === undefined) return true
    return !seen.has(key) && seen.add(key)
  })
}

function onceColumns(records: readonly NewRecord[]): [(string | null)[], (Date | null)[]] {
  const part = <T>(choose: (once: NonNullable<PublishTerms['once']>) => T): (T | null)[] =>
    records.map(({ terms }) => (terms?.once === undefined ? null : choose(terms.once)))
  return [part(({ key }) => key), part(({ until }) => until)]
}
