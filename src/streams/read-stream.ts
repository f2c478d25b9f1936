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

const textOf = (direction: 'asc' | 'desc'): string => `
  select revision, id, type, version, data::text as data, meta::text as meta, at::text as at from millrace.stream_records
   where stream = $1 and revision between $2 and $3 and ($4::timestamptz is null or date_trunc('milliseconds', at) <= $4)
   order by revision ${direction} limit $5`

/** @throws OPTION_INVALID */
export function readStream(sql: Sql, stream: string, options: ReadStreamOptions = {}): Promise<StoredStreamEvent[]> {
  const { from, to, direction = 'forward', asOf, limit } = options
  for (const [name, value] of Object.entries({ from, to, limit, asOf: typeof asOf === 'number' ? asOf : undefined }))
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 0))
      throw new PlatformError('OPTION_INVALID', `reading the stream "${stream}": ${name} must be a whole number from 0`)
  const [first, last] = direction === 'forward' ? [from, to] : [to, from]
  const upTo = typeof asOf === 'number' ? Math.min(asOf, last ?? most) : (last ?? most)
  const at = asOf instanceof Date ? asOf.toISOString() : null
  return sql.query<StoredStreamEvent>(textOf(direction === 'forward' ? 'asc' : 'desc'), [
    stream,
    first ?? 0,
    upTo,
    at,
    limit ?? most,
  ])
}
