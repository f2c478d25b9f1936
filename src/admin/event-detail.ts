import { correlationOf } from '../delivery/replay-filter.ts'
import type { EventDetail } from './contract.ts'
import { deliveriesOf } from './delivery-views.ts'
import { causesOf, effectsOf } from './event-chain.ts'
import { eventAt, summaryOf } from './event-list.ts'
import { schemaOf } from './schema-of.ts'
import { shownData } from './shown-data.ts'
import type { AdminSources } from './sources.ts'

export async function eventDetail(sources: AdminSources, position: number): Promise<EventDetail> {
  const { store, parts } = sources
  const record = await eventAt(store, position)
  const [deliveries, chain] = await Promise.all([deliveriesOf(sources, record), causesOf(sources, record)])
  const effects = await effectsOf(sources, position, deliveries)
  const schema = schemaOf(parts, record.type)
  return {
    ...summaryOf(record),
    version: record.version,
    data: shownData(parts, record),
    meta: record.meta === null ? {} : (JSON.parse(record.meta) as Record<string, unknown>),
    ...(schema === undefined ? {} : { schema }),
    deliveries,
    correlation: correlationOf(record),
    ...chain,
    effects,
  }
}
