import type { ChangeMeta } from '../events/change.ts'
import type { LogRecord } from '../events/record.ts'
import type { Statement } from '../store/sql.ts'
import type { DeliveryView, Hop, Journey } from './contract.ts'
import { deliveriesOf } from './delivery-views.ts'
import { betweenMs, eventAt, momentOf, preciseMs, summaryOf } from './event-list.ts'
import { shownData } from './shown-data.ts'
import type { AdminSources } from './sources.ts'

const tickStatement: Statement = {
  name: 'millrace-admin-tick',
  text: 'select at from millrace.ticks where base < $1 order by base desc limit 1',
}

/** The way of one event or change from its commit through everything that follows, with the time each stop took. */
export async function journeyOf(sources: AdminSources, position: number): Promise<Journey> {
  const record = await eventAt(sources.store, position)
  const meta = record.meta === null ? {} : (JSON.parse(record.meta) as Partial<ChangeMeta> & Record<string, unknown>)
  const [[tick], deliveries] = await Promise.all([
    sources.store.run<{ at: string }>(tickStatement, [position]),
    deliveriesOf(sources, record),
  ])
  const stops = [...origin(record, meta), ...(tick === undefined ? [] : [stop('sequence', 'position given', tick.at)])]
  const start = stops[0]?.at ?? momentOf(record.at)
  const placed = stops.at(-1)?.at ?? momentOf(record.at)
  const hops = [...stops, ...deliveries.map((view) => deliveryStop(view, placed))]
    .map((hop): Hop => ({ ...hop, sinceStartMs: betweenMs(start, hop.at) }))
    .sort((a, b) => a.sinceStartMs - b.sinceStartMs)
  const finished = hops.filter(({ status }) => status === 'done')
  return {
    event: summaryOf(record),
    data: shownData(sources.parts, record),
    meta,
    hops,
    totalMs: Math.max(0, ...finished.map(({ sinceStartMs }) => sinceStartMs)),
    complete: hops.every(({ status }) => status === 'done' || status === 'discarded'),
  }
}

type Stop = Omit<Hop, 'sinceStartMs'>

/** A change begins with the commit of its row, an event with its publishing. */
function origin(record: LogRecord, { committedAt, lsn }: Partial<ChangeMeta>): Stop[] {
  const written = momentOf(record.at)
  if (!record.type.startsWith('change:')) return [stop('commit', 'published', written)]
  const captured = stop(
    'capture',
    'read from the write-ahead log',
    written,
    lsn === undefined ? undefined : `lsn ${lsn}`,
  )
  return committedAt === undefined ? [captured] : [stop('commit', 'row committed', committedAt), captured]
}

function stop(kind: Hop['kind'], name: string, at: string, detail?: string): Stop {
  return { kind, name, at, status: 'done', ...(detail === undefined ? {} : { detail }) }
}

function deliveryStop(
  { follower, kind, status, doneAt, tookMs, member, attempt, error }: DeliveryView,
  placed: string,
): Stop {
  const detail = error?.message ?? (attempt !== undefined ? `attempt ${attempt}` : member)
  return {
    kind,
    name: follower,
    // Nothing follows what has no place yet; a clock of another machine, or of whole milliseconds, may say otherwise.
    at: doneAt === undefined || preciseMs(doneAt) < preciseMs(placed) ? placed : doneAt,
    status,
    ...(tookMs === undefined ? {} : { tookMs }),
    ...(detail === undefined ? {} : { detail }),
  }
}
