import { recordsOfTicks } from '../events/read.ts'
import type { Store } from '../store/store.ts'
import type { RetentionPolicy } from './retention-policy.ts'

const span = 10_000

/**
 * Changes of captured tables are always compacted: the last one of each row is the row, and without it no index could be
 * built anew. Events of a stream carry their revision.
 */
// Without a name, so planned at each use; see events/read.ts.
const keepText = `
  with r as (
    select *, key is not null and (type like 'change:%' or type = any($4)) and meta->>'revision' is null
      and not exists (select from millrace.deliveries d where d.position = r.position) as compact
      from (${recordsOfTicks}) r where position <= $3
  ), chosen as (
    select *, case when compact then type end as compact_type, case when compact then key else position::text end as slot from r
     where compact or type like 'change:%' or type = any($4) or type = any($5) or meta->>'revision' is not null
        or exists (select from millrace.deliveries d where d.position = r.position)
  ), latest as (
    select distinct on (compact_type, slot) * from chosen order by compact_type, slot, position desc
  ), replaced as (
    delete from millrace.kept k using latest l
     where l.compact and k.type = l.type and k.key = l.key and k.position < l.position and not k.restored
       and k.meta->>'revision' is null and not exists (select from millrace.deliveries d where d.position = k.position)
  )
  insert into millrace.kept (position, ordinal, id, type, version, key, data, meta, at)
  select position, ordinal, id, type, version, key, data, meta, at from latest on conflict do nothing`

const throughText = 'select max(base + count) as through from millrace.ticks where base >= $1 and base < $1 + $2'

/**
 * Copies to `millrace.kept` what must outlive the positions after `after` up to `to`. Repeated after a crash it changes
 * nothing: readers look there only up to the tail of the log.
 */
export async function keepRows(store: Store, after: number, to: number, policy: RetentionPolicy): Promise<void> {
  let at = after
  while (at < to) {
    at = await store.withClient(async (client) => {
      const { rows } = await client.query<{ through: number | null }>(throughText, [at, span])
      const through = Math.min(to, rows[0]?.through ?? to)
      await client.query(keepText, [at, through - at, through, policy.compact, policy.forever])
      return through
    })
  }
}
