import { commonMessage } from '../delivery/error-signature.ts'
import type { FailureGroup } from './contract.ts'
import { kindOf, namedIn } from './selection.ts'
import type { AdminSources } from './sources.ts'

const named = namedIn('d')
/** The newest of each group stands for it. Held ones count for the group of whatever holds their key. */
const groupsText = `
  with failed as (
    select d.*, ${named.columns.replace('as consumer', 'as target')} from millrace.deliveries d ${named.join}
     where d.signature is not null and d.state <> 'held'
  ), held as (
    select f.consumer, f.signature, count(*)::int as held from millrace.deliveries h
      join failed f on f.consumer = h.consumer and f.key = h.key and f.state = 'retrying' and f.position < h.position
     where h.state = 'held'
       and not exists (select from failed g where g.consumer = h.consumer and g.key = h.key and g.state = 'retrying' and g.position > f.position and g.position < h.position)
     group by f.consumer, f.signature
  ), groups as (
    select consumer as stored, target, replay, signature, array_agg(distinct type order by type) as types, count(*)::int as count,
        count(*) filter (where state = 'retrying')::int as retrying, count(*) filter (where state = 'dead')::int as dead,
        min(first_failed_at) as "firstFailedAt", max(last_failed_at) as "lastFailedAt",
        min(retry_at) filter (where state = 'retrying') as "retryAt"
      from failed group by consumer, target, replay, signature
     order by max(last_failed_at) desc limit 200
  )
  select g.*, coalesce(h.held, 0) as held, e.position, e.type, e.key, e.error->>'code' as code, e.error->>'message' as message
    from groups g left join held h on h.consumer = g.stored and h.signature = g.signature
   cross join lateral (select * from failed f where f.consumer = g.stored and f.signature = g.signature
     order by f.last_failed_at desc, f.position desc limit 1) e
   where ($1::text is null or g.target = $1) and ($2::text is null or g.replay = $2)
   order by g."lastFailedAt" desc`

interface Row extends Omit<FailureGroup, 'consumer' | 'kind' | 'retryAt' | 'example'> {
  target: string
  retryAt: string | null
  position: number
  type: string
  key: string | null
}

/** What fails, in groups of what failed alike. */
export async function failureGroups(
  { store }: AdminSources,
  { consumer, replay }: { consumer?: string; replay?: string },
): Promise<FailureGroup[]> {
  const rows = await store.sql.query<Row>(groupsText, [consumer ?? null, replay ?? null])
  return rows.map((row) => ({
    signature: row.signature,
    consumer: row.target,
    kind: kindOf(row.target),
    replay: row.replay,
    types: row.types,
    code: row.code,
    message: commonMessage(row.message),
    count: row.count,
    retrying: row.retrying,
    dead: row.dead,
    held: row.held,
    firstFailedAt: row.firstFailedAt,
    lastFailedAt: row.lastFailedAt,
    ...(row.retryAt === null ? {} : { retryAt: row.retryAt }),
    example: { position: row.position, type: row.type, key: row.key, message: row.message },
  }))
}
