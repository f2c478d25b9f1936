import { readLog } from '../events/read.ts'
import type { EventMeta } from '../events/record.ts'
import type { EventDetail, EventSummary } from './contract.ts'
import { deliveriesOf } from './delivery-views.ts'
import { eventAt, summaryOf } from './event-list.ts'
import type { AdminSources } from './sources.ts'

/** Effects are published while their cause is handled, so they stand soon after it: no further than this is looked. */
const effectReach = 5000

export async function eventDetail(sources: AdminSources, position: number): Promise<EventDetail> {
  const { store, parts } = sources
  const record = await eventAt(store, position)
  const [deliveries, effects] = await Promise.all([deliveriesOf(sources, record), effectsOf(sources, position)])
  const schema =
    parts.events.find(({ name }) => name === record.type)?.schema.jsonSchema ??
    parts.tables.find(({ changeType }) => changeType === record.type)?.schema.jsonSchema
  return {
    ...summaryOf(record),
    version: record.version,
    data: JSON.parse(record.data),
    meta: record.meta === null ? {} : (JSON.parse(record.meta) as Record<string, unknown>),
    ...(schema === undefined ? {} : { schema }),
    deliveries,
    effects,
  }
}

async function effectsOf({ store }: AdminSources, position: number): Promise<EventSummary[]> {
  const { records } = await readLog(store, { after: position, span: effectReach })
  return records
    .filter(({ meta }) => meta !== null && (JSON.parse(meta) as EventMeta).cause === position)
    .map(summaryOf)
}
