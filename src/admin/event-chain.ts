import { correlationOf } from '../delivery/replay-filter.ts'
import { positionBefore } from '../events/position-at.ts'
import { readAt, readBounds, readLog } from '../events/read.ts'
import type { EventMeta, LogRecord } from '../events/record.ts'
import { PlatformError } from '../kernel/errors.ts'
import type { CorrelatedPage, DeliveryView, EventSummary } from './contract.ts'
import { summaryOf } from './event-list.ts'
import type { AdminSources } from './sources.ts'

const longestChain = 100
const mostEffects = 100
/** Effects commit with the handling of their cause: right after it, or where a follower came to it later. */
const effectReach = 5000
const mostReach = 20_000
/** Handling ends, the transaction commits, the sequencer sees it. */
const commitMs = 250

/** What set an event off, the nearest first, as far as the log keeps it. */
export async function causesOf(
  { store }: AdminSources,
  record: LogRecord,
): Promise<{ causes: EventSummary[]; causeGone?: number }> {
  const causes: EventSummary[] = []
  let cause = causeOf(record)
  while (cause !== undefined && causes.length < longestChain) {
    const found = await readAt(store, cause)
    if (found === undefined) return { causes, causeGone: cause }
    causes.push(summaryOf(found))
    cause = causeOf(found)
  }
  return { causes }
}

function causeOf({ meta }: LogRecord): number | undefined {
  return meta === null ? undefined : (JSON.parse(meta) as EventMeta).cause
}

/**
 * What an event set off. No index leads there, for each makes all publishing a tenth slower; but effects commit with the
 * handling of their cause, and of that we know when it was.
 */
export async function effectsOf(
  { store }: AdminSources,
  position: number,
  deliveries: readonly DeliveryView[],
): Promise<EventSummary[]> {
  const effects = new Map<number, EventSummary>()
  const lookAt = async (after: number, span: number): Promise<void> => {
    const { records } = await readLog(store, { after, span })
    for (const record of records) if (causeOf(record) === position) effects.set(record.position, summaryOf(record))
  }
  await lookAt(position, effectReach)
  for (const { doneAt } of deliveries) {
    if (doneAt === undefined) continue
    const done = Date.parse(doneAt)
    const [first, last] = [
      await positionBefore(store, new Date(done - commitMs)),
      await positionBefore(store, new Date(done + commitMs)),
    ]
    const from = Math.max(first, position + effectReach)
    if (last > from) await lookAt(from, Math.min(mostReach, last - from))
  }
  return [...effects.values()].sort((a, b) => a.position - b.position).slice(0, mostEffects)
}

/** How far from the time in an id its event is looked for: what was open for long stands further behind. */
const idReach = 50_000
const span = 2000
/** Clocks of two machines may differ by so much. */
const clockMs = 10_000

/**
 * The event with an id. Ids carry the time at which they were made (UUID version 7), so no index is needed.
 * @throws NOT_FOUND
 */
export async function eventById({ store }: AdminSources, id: string): Promise<EventSummary> {
  const wanted = id.toLowerCase()
  const { head } = await readBounds(store)
  const timed = /^([0-9a-f]{8})-([0-9a-f]{4})-7/.exec(wanted)
  const start =
    timed === null
      ? Math.max(0, head - idReach)
      : await positionBefore(store, new Date(Number.parseInt(`${timed[1]}${timed[2]}`, 16) - clockMs))
  let after = start
  while (after < head && after - start < idReach) {
    const { records, through } = await readLog(store, { after, span })
    const found = records.find((record) => record.id === wanted)
    if (found !== undefined) return summaryOf(found)
    if (through === after) break
    after = through
  }
  throw new PlatformError('NOT_FOUND', `the log has no event with the id ${id}`, {
    hint: 'It may be too old, or not committed: look for its type and key.',
  })
}

const correlatedReach = 50_000

/** Everything of one correlation from its root on, oldest first. */
export async function correlatedEvents(
  sources: AdminSources,
  { correlation, after, limit = 100 }: { correlation: string; after?: number; limit?: number },
): Promise<CorrelatedPage> {
  const { store } = sources
  const start = after ?? (await rootOf(sources, correlation))
  const events: EventSummary[] = []
  let at = start
  while (at - start < correlatedReach) {
    const { records, through } = await readLog(store, { after: at, span })
    for (const record of records) {
      if (correlationOf(record) !== correlation) continue
      events.push(summaryOf(record))
      if (events.length === limit) return { events, next: record.position }
    }
    if (through === at) return { events }
    at = through
  }
  return { events, next: at }
}

/** From where on it can have begun: a correlation is mostly the id of its root. */
async function rootOf(sources: AdminSources, correlation: string): Promise<number> {
  const root = await eventById(sources, correlation).catch((error: unknown) => {
    if (error instanceof PlatformError && error.code === 'NOT_FOUND') return undefined
    throw error
  })
  if (root !== undefined) return root.position - 1
  const { head } = await readBounds(sources.store)
  return Math.max(0, head - correlatedReach)
}
