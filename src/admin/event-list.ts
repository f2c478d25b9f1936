import { readAt, readLog } from '../events/read.ts'
import type { LogRecord } from '../events/record.ts'
import { PlatformError } from '../kernel/errors.ts'
import type { Store } from '../store/store.ts'
import type { EventFilter, EventPage, EventSummary } from './contract.ts'

const previewLength = 160
/** One call looks at no more of the log than this, however rare what it looks for is; the caller goes on with `next`. */
const reach = 50_000
const firstSpan = 500
const mostSpan = 5000

/** Newest first, from `before` on backwards. Costs what it looks at, not what the log holds. */
export async function listEvents(store: Store, head: number, filter: EventFilter): Promise<EventPage> {
  const { limit = 50, before = head + 1, type, key, text } = filter
  const matches = eventMatcher(filter)
  const events: EventSummary[] = []
  let end = Math.min(before - 1, head)
  const lowest = Math.max(0, end - reach)
  // Without a filter every event is one for the page: more are not read, they may be large.
  const filtered = type !== undefined || key !== undefined || text !== undefined
  let span = filtered ? Math.max(limit, firstSpan) : limit
  while (end > lowest && events.length < limit) {
    const after = Math.max(lowest, end - span)
    const { records } = await readLog(store, { after, span: end - after })
    for (let i = records.length - 1; i >= 0 && events.length < limit; i -= 1) {
      const record = records[i]
      if (record === undefined || record.position > end) continue
      if (matches(record)) events.push(summaryOf(record))
    }
    end = after
    span = Math.min(mostSpan, span * 2)
  }
  const last = events.length === limit ? (events.at(-1)?.position ?? 1) : end + 1
  return { events, head, ...(last > 1 ? { next: last } : {}) }
}

export async function eventAt(store: Store, position: number): Promise<LogRecord> {
  const record = await readAt(store, position)
  if (record === undefined) throw new PlatformError('NOT_FOUND', `the log has no event at position ${position}`)
  return record
}

export function eventMatcher({
  type,
  key,
  text,
}: Pick<EventFilter, 'type' | 'key' | 'text'>): (record: LogRecord) => boolean {
  const prefix = type?.endsWith('*') === true ? type.slice(0, -1) : undefined
  const wanted = text?.toLowerCase()
  return (record) => {
    if (prefix !== undefined ? !record.type.startsWith(prefix) : type !== undefined && record.type !== type)
      return false
    if (key !== undefined && record.key !== key) return false
    return wanted === undefined || record.data.toLowerCase().includes(wanted)
  }
}

export function summaryOf(record: LogRecord): EventSummary {
  const { position, id, type, key, data } = record
  return {
    position,
    id,
    type,
    kind: type.startsWith('change:') ? 'change' : 'event',
    key,
    at: momentOf(record.at),
    preview: data.length > previewLength ? `${data.slice(0, previewLength)}…` : data,
  }
}

/** Postgres text of a timestamptz in UTC as ISO 8601, microseconds kept. */
export function momentOf(text: string): string {
  const iso = text.replace(' ', 'T')
  return /[+-]\d\d$/.test(iso) ? iso.replace(/\+00$/, 'Z').replace(/([+-]\d\d)$/, '$1:00') : iso
}

/** Milliseconds since the epoch, fractions of a millisecond kept: `Date` alone would drop the microseconds. */
export function preciseMs(iso: string): number {
  const micros = /\.\d{3}(\d{1,3})/.exec(iso)?.[1] ?? ''
  return Date.parse(iso) + (micros === '' ? 0 : Number(`0.${micros}`))
}

/** Milliseconds between two moments, to the microsecond; never negative, whatever the clocks of two machines say. */
export function betweenMs(from: string, to: string): number {
  return Math.max(0, Math.round((preciseMs(to) - preciseMs(from)) * 1000) / 1000)
}
