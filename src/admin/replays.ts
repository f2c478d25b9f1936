import { type ReplayFilter, replayMatcher } from '../delivery/replay-filter.ts'
import { replayPrefix } from '../delivery/replay-name.ts'
import { cancelReplay, pauseReplay, resumeReplay, startReplay } from '../delivery/replays.ts'
import { specOf } from '../delivery/spec-of.ts'
import { positionBefore } from '../events/position-at.ts'
import { readBounds, readLog } from '../events/read.ts'
import type { LogRecord } from '../events/record.ts'
import { PlatformError } from '../kernel/errors.ts'
import { silentLogger } from '../kernel/logger.ts'
import type { Transaction } from '../store/store.ts'
import type { ReplayPlan, ReplayRequest, ReplayView, Signed } from './contract.ts'
import { signedBy } from './selection.ts'
import type { AdminSources } from './sources.ts'

/** So much of the log is counted in one call, and for so long. */
const span = 2000
const countMs = 4000

/** Counts what a replay would handle. */
export async function planReplay(sources: AdminSources, request: ReplayRequest): Promise<ReplayPlan> {
  const spec = specOfConsumer(sources, request.consumer)
  const filter = await filterOf(sources, request)
  const matches = replayMatcher(filter)
  const keys = new Set<string>()
  const deadline = performance.now() + countMs
  let events = 0
  let after = filter.fromPosition - 1
  while (after < filter.untilPosition && performance.now() < deadline) {
    const { records, through } = await readLog(sources.store, { after, span, only: spec.selection })
    for (const record of records) {
      if (!matches(record) || !spec.selection.wants(record) || !spec.matches(record)) continue
      events += 1
      keys.add(keyOf(record))
    }
    if (through === after) break
    after = through
  }
  const { fromPosition, untilPosition } = filter
  return { fromPosition, untilPosition, events, counted: after >= untilPosition, keys: keys.size }
}

const keyOf = ({ key, position }: LogRecord): string => (key === null ? `#${position}` : `=${key}`)

export async function startReplayOf(sources: AdminSources, input: ReplayRequest & Signed): Promise<ReplayView> {
  specOfConsumer(sources, input.consumer)
  const filter = await filterOf(sources, input)
  const { consumer, rate = null, onFailure = 'dead-letter', request = null } = input
  const order = { ...filter, consumer, rate, onFailure, request }
  const id = await sources.store.transaction((tx) => startReplay(tx, order, signedBy(input)))
  return replayOf(sources, String(id))
}

type Move = (tx: Transaction, id: number, by: ReturnType<typeof signedBy>) => Promise<unknown>
const moves: Record<'pause' | 'resume' | 'cancel', Move> = {
  pause: pauseReplay,
  resume: resumeReplay,
  cancel: cancelReplay,
}

/** @throws NOT_FOUND, CONFLICT when it has ended */
export async function moveReplay(
  sources: AdminSources,
  move: keyof typeof moves,
  input: { id: string } & Signed,
): Promise<ReplayView> {
  const id = idOf(input.id)
  await sources.store.transaction((tx: Transaction) => moves[move](tx, id, signedBy(input)))
  return replayOf(sources, input.id)
}

export async function replayOf(sources: AdminSources, id: string): Promise<ReplayView> {
  const [view] = await replayViews(sources, { id: idOf(id) })
  if (view === undefined) throw noReplay(id)
  return view
}

function idOf(id: string): number {
  if (!/^[1-9]\d{0,8}$/.test(id)) throw noReplay(id)
  return Number(id)
}

const noReplay = (id: string): PlatformError => new PlatformError('NOT_FOUND', `there is no replay "${id}"`)

function specOfConsumer({ parts }: AdminSources, name: string): ReturnType<typeof specOf> {
  const definition = parts.consumers.find((consumer) => consumer.name === name)
  if (definition !== undefined) return specOf(definition, silentLogger)
  throw new PlatformError('NOT_FOUND', `the app has no consumer "${name}" to replay to`, {
    hint: `It declares ${parts.consumers.map((consumer) => consumer.name).join(', ') || 'none'}. An index is rebuilt instead.`,
  })
}

/** @throws INPUT_INVALID when it ends before it begins, or says two beginnings or ends */
async function filterOf({ store }: AdminSources, request: ReplayRequest): Promise<ReplayFilter> {
  const { fromPosition, fromTime, untilPosition, untilTime } = request
  if (fromPosition !== undefined && fromTime !== undefined) throw refusal('/fromTime', 'stands beside fromPosition')
  if (untilPosition !== undefined && untilTime !== undefined) throw refusal('/untilTime', 'stands beside untilPosition')
  const { head } = await readBounds(store)
  const from = fromTime === undefined ? (fromPosition ?? 1) : (await positionBefore(store, new Date(fromTime))) + 1
  const until = untilTime === undefined ? (untilPosition ?? head) : await positionBefore(store, new Date(untilTime))
  if (from > Math.min(until, head))
    throw refusal('/fromPosition', `is ${from}, behind the end of the replay at ${Math.min(until, head)}`)
  const { correlation = null, key = null, type = null } = request
  return { fromPosition: from, untilPosition: Math.min(until, head), correlation, key, type }
}

function refusal(path: string, message: string): PlatformError {
  return new PlatformError('INPUT_INVALID', `${path.slice(1)} ${message}`, { issues: [{ path, message }] })
}

const viewsText = `
  select r.id::text, r.consumer, r.state, r.from_position as "fromPosition", r.until_position as "untilPosition", r.handled, r.correlation,
      r.key, r.type, r.rate, r.speed, r.pace, r.on_failure as "onFailure", r.by, r.reason, r.started_at as "startedAt", r.finished_at as "finishedAt",
      greatest(coalesce(s.position, r.ended_at_position, r.from_position - 1), r.from_position - 1) as position, m.name as member, d.*
    from millrace.replays r
    left join millrace.consumer_slots s on s.consumer = '${replayPrefix}' || r.id
    left join millrace.members m on m.id = s.owner and m.until > now()
   cross join lateral (
     select count(*) filter (where state = 'retrying')::int as retrying, count(*) filter (where state = 'held')::int as held,
       count(*) filter (where state = 'dead')::int as dead from millrace.deliveries where consumer = '${replayPrefix}' || r.id) d
   where ($1::text is null or r.consumer = $1) and ($2::int is null or r.id = $2)
   order by r.id desc limit 100`

type Row = Omit<ReplayView, 'filter' | 'reason' | 'finishedAt' | 'progress' | 'etaMs'> & {
  correlation: string | null
  key: string | null
  type: string | null
  pace: number
  reason: string | null
  finishedAt: string | null
}

/** The newest first. */
export async function replayViews(
  { store }: AdminSources,
  { consumer, id }: { consumer?: string; id?: number },
): Promise<ReplayView[]> {
  const rows = await store.sql.query<Row>(viewsText, [consumer ?? null, id ?? null])
  return rows.map(({ correlation, key, type, pace, reason, finishedAt, ...row }) => {
    const length = row.untilPosition - row.fromPosition + 1
    const position = Math.min(row.position, row.untilPosition)
    const left = row.untilPosition - position
    return {
      ...row,
      position,
      progress: length <= 0 ? 1 : (length - left) / length,
      filter: {
        ...(correlation === null ? {} : { correlation }),
        ...(key === null ? {} : { key }),
        ...(type === null ? {} : { type }),
      },
      speed: Math.round(row.speed * 10) / 10,
      ...(row.state === 'running' && pace > 0 ? { etaMs: Math.round((left / pace) * 1000) } : {}),
      ...(reason === null ? {} : { reason }),
      ...(finishedAt === null ? {} : { finishedAt }),
    }
  })
}
