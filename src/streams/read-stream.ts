import { PlatformError } from '../kernel/errors.ts'
import type { Sql } from '../store/sql.ts'

export interface ReadStreamOptions {
  /** First revision. @default the first, or the last when read backward */
  from?: number
  /** Last revision, itself included. @default the last, or the first when read backward */
  to?: number
  /** @default 'forward' */
  direction?: 'forward' | 'backward'
  /** Only what was there at this time, or up to this revision. */
  asOf?: Date | number
  /** Most events. @default all */
  limit?: number
}

/** An event of a stream as stored. */
export interface StoredStreamEvent {
  revision: number
  id: string
  type: string
  version: number
  data: string
  meta: string | null
  at: string
}

const most = 2 ** 31 - 1

// In the log, or what the retention kept of it: up to the tail only, until then the log has it, too.
const eventOf = `
  select e.id, e.type, e.version, e.data, e.meta, e.at from millrace.events e where e.xid = p.xid and e.ordinal = p.ordinal
  union all
  select k.id, k.type, k.version, k.data, k.meta, k.at from millrace.kept k
   where k.ordinal = p.ordinal and k.position <= (select tail from millrace.sequencer)`

/** The last revision of that time, looked for from the newest one back: what came later is passed over, not read. */
const lastAt = `
  (select p.revision from millrace.stream_events p cross join lateral (${eventOf}) r
    where p.stream = $1 and date_trunc('milliseconds', r.at) <= $5::timestamptz order by p.revision desc limit 1)`

// The pointers first, so that the newest event of a long stream is found without the rest.
const textOf = (direction: 'asc' | 'desc', timed: boolean): string => `
  select p.revision, r.id, r.type, r.version, r.data::text as data, r.meta::text as meta, r.at::text as at
    from (select * from millrace.stream_events
           where stream = $1 and revision between $2 and ${timed ? `least($3, coalesce(${lastAt}, 0))` : '$3'}
           order by revision ${direction} limit $4) p
   cross join lateral (${eventOf}) r
   order by p.revision ${direction}`

/** @throws OPTION_INVALID */
export function readStream(sql: Sql, stream: string, options: ReadStreamOptions = {}): Promise<StoredStreamEvent[]> {
  const { from, to, direction = 'forward', asOf, limit } = options
  for (const [name, value] of Object.entries({ from, to, limit, asOf: typeof asOf === 'number' ? asOf : undefined }))
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 0))
      throw new PlatformError('OPTION_INVALID', `reading the stream "${stream}": ${name} must be a whole number from 0`)
  const [first, last] = direction === 'forward' ? [from, to] : [to, from]
  const upTo = typeof asOf === 'number' ? Math.min(asOf, last ?? most) : (last ?? most)
  const time = asOf instanceof Date ? [asOf.toISOString()] : []
  return sql.query<StoredStreamEvent>(textOf(direction === 'forward' ? 'asc' : 'desc', time.length > 0), [
    stream,
    first ?? 0,
    upTo,
    limit ?? most,
    ...time,
  ])
}
