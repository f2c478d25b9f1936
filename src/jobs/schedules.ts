import { append } from '../events/append.ts'
import type { NewRecord } from '../events/record.ts'
import { PlatformError } from '../kernel/errors.ts'
import { uuidv7 } from '../kernel/ids.ts'
import type { Statement } from '../store/sql.ts'
import type { Store, Transaction } from '../store/store.ts'
import { type Missed, type ScheduleDefinition, type ScheduleRun, scheduleType } from './schedule.ts'
import { duesUntil, lastDue, nextDue, type ScheduleRule } from './schedule-rule.ts'

/** A takeover between two processes takes seconds: what became due then is late, not missed. */
const graceMs = 15_000
/** Most firings and schedules of one turn. */
const batch = 200

interface Row {
  name: string
  cron: string | null
  every: number | null
  anchor: string
  zone: string
  missed: Missed
  next: string | null
}
const columns = `name, cron, every_ms as every, anchor_at as anchor, time_zone as zone, missed, next_at as next`
const ruleOf = ({ cron, every, zone }: Row): ScheduleRule =>
  cron === null ? { kind: 'every', everyMs: every ?? 0 } : { kind: 'cron', cron, timeZone: zone }
const dateOf = (ms: number | undefined): Date | null => (ms === undefined ? null : new Date(ms))

const same =
  '(s.cron, s.every_ms, s.time_zone) is not distinct from (excluded.cron, excluded.every_ms, excluded.time_zone)'

/** One whose rule changed begins anew; else it keeps its place, so that what was missed is known. */
const registerStatement: Statement = {
  name: 'millrace-register-schedule',
  text: `insert into millrace.schedules as s (name, cron, every_ms, time_zone, missed, anchor_at, next_at)
    values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (name) do update set missed = excluded.missed, cron = excluded.cron, every_ms = excluded.every_ms,
      time_zone = excluded.time_zone,
      anchor_at = case when ${same} then s.anchor_at else excluded.anchor_at end,
      next_at = case when ${same} then s.next_at else excluded.next_at end`,
}

/** Makes the schedules of an app known. */
export async function registerSchedules(
  store: Store,
  schedules: readonly ScheduleDefinition[],
  nowMs: number,
): Promise<void> {
  for (const { name, rule, missed } of schedules) {
    const next = dateOf(nextDue(rule, nowMs, nowMs))
    const parts = rule.kind === 'cron' ? [rule.cron, null, rule.timeZone] : [null, rule.everyMs, 'UTC']
    await store.run(registerStatement, [name, ...parts, missed, new Date(nowMs), next])
  }
}

/** Nobody would hear a schedule that no living process runs; it waits, and its policy says what becomes of it. */
const active = `not paused and exists (
  select from millrace.members m where m.until > now() and 'schedule:' || s.name = any(m.consumers))`

const nextStatement: Statement = {
  name: 'millrace-next-firing',
  text: `select min(next_at) as at from millrace.schedules s where ${active}`,
}

/** When the next schedule is due, in milliseconds since the Unix epoch. */
export async function nextFiringMs(store: Pick<Store, 'run'>): Promise<number | undefined> {
  const [row] = await store.run<{ at: string | null }>(nextStatement)
  return row === undefined || row.at === null ? undefined : Date.parse(row.at)
}

const dueStatement: Statement = {
  name: 'millrace-due-schedules',
  text: `select ${columns} from millrace.schedules s where next_at <= $1 and ${active}
    order by next_at limit $2 for update of s skip locked`,
}
const firedStatement: Statement = {
  name: 'millrace-schedule-fired',
  text: `update millrace.schedules set next_at = $2, fired = fired + $3, last_at = coalesce($4, last_at) where name = $1`,
}

/** Puts the firings of what is due into the log and moves their due times, in the given transaction; says how many were due. */
export async function fireSchedules(tx: Transaction, nowMs: number): Promise<number> {
  const due = await tx.run<Row>(dueStatement, [new Date(nowMs), batch])
  for (const row of due) {
    const { runs, next } = firingsOf(row, nowMs)
    await append(
      tx.client,
      runs.map((run) => firing(row.name, run)),
    )
    await tx.run(firedStatement, [row.name, dateOf(next), runs.length, runs.at(-1)?.due ?? null])
  }
  return due.length
}

/** What is to be fired of a schedule that is due, and when it is due next. */
function firingsOf(row: Row, nowMs: number): { runs: ScheduleRun[]; next: number | undefined } {
  const rule = ruleOf(row)
  const anchorMs = Date.parse(row.anchor)
  const dues = duesUntil(rule, anchorMs, { firstMs: Date.parse(row.next as string), nowMs, most: batch })
  if (row.missed === 'all') {
    const runs = dues.map((ms) => runAt(ms, 0, false))
    return { runs, next: nextDue(rule, anchorMs, dues.at(-1) ?? nowMs) }
  }
  const last = dues.length < batch ? dues.at(-1) : (lastDue(rule, anchorMs, nowMs) ?? dues.at(-1))
  const inTime = last !== undefined && nowMs - last <= graceMs
  const runs = last === undefined || (row.missed === 'skip' && !inTime) ? [] : [runAt(last, dues.length - 1, false)]
  return { runs, next: nextDue(rule, anchorMs, nowMs) }
}

const runAt = (ms: number, missed: number, manual: boolean): ScheduleRun => ({
  due: new Date(ms).toISOString(),
  missed,
  manual,
})

function firing(name: string, run: ScheduleRun): NewRecord {
  return { id: uuidv7(), type: scheduleType(name), version: 1, key: name, data: JSON.stringify(run), meta: null }
}

/** A schedule as it stands. Times are ISO 8601. */
export interface ScheduleView {
  readonly name: string
  /** The cron pattern, or `every 5m` in milliseconds: `every 300000 ms`. */
  readonly when: string
  readonly timeZone: string
  readonly missed: Missed
  readonly paused: boolean
  /** False while no living process runs it. */
  readonly active: boolean
  /** The last due time that was fired. */
  readonly lastAt: string | null
  readonly fired: number
  /** The next due times; none while it is paused. */
  readonly next: string[]
}

const listStatement: Statement = {
  name: 'millrace-schedules',
  text: `select ${columns}, paused, last_at as "lastAt", fired, exists (
      select from millrace.members m where m.until > now() and 'schedule:' || s.name = any(m.consumers)) as active
    from millrace.schedules s order by name`,
}

/** All schedules, with up to `count` next due times each. */
export async function listSchedules(store: Pick<Store, 'run'>, count = 5): Promise<ScheduleView[]> {
  type Listed = Row & Pick<ScheduleView, 'paused' | 'lastAt' | 'fired' | 'active'>
  const rows = await store.run<Listed>(listStatement)
  return rows.map((row) => ({
    name: row.name,
    when: row.cron ?? `every ${row.every} ms`,
    timeZone: row.zone,
    missed: row.missed,
    paused: row.paused,
    active: row.active,
    lastAt: row.lastAt,
    fired: row.fired,
    next: row.paused ? [] : nextRuns(row, count),
  }))
}

function nextRuns(row: Row, count: number): string[] {
  if (row.next === null) return []
  const span = { firstMs: Date.parse(row.next), nowMs: Number.POSITIVE_INFINITY, most: count }
  return duesUntil(ruleOf(row), Date.parse(row.anchor), span).map((ms) => new Date(ms).toISOString())
}

/** It comes no more until it is resumed; what is under way goes on. Throws NOT_FOUND. */
export function pauseSchedule(store: Store, name: string): Promise<void> {
  return change(store, name, async (tx) => {
    await tx.sql`update millrace.schedules set paused = true where name = ${name}`
  })
}

/** It goes on with the next due time after now: what passed meanwhile is not made up for. Throws NOT_FOUND. */
export function resumeSchedule(store: Store, name: string, nowMs: number): Promise<void> {
  return change(store, name, async (tx, row, paused) => {
    if (!paused) return
    const next = dateOf(nextDue(ruleOf(row), Date.parse(row.anchor), nowMs))
    await tx.sql`update millrace.schedules set paused = false, next_at = ${next} where name = ${name}`
  })
}

/** Fires it once now, paused or not; its due times stay. Throws NOT_FOUND. */
export function runSchedule(store: Store, name: string, nowMs: number): Promise<void> {
  return change(store, name, async (tx) => {
    await append(tx.client, [firing(name, runAt(nowMs, 0, true))])
    await tx.sql`update millrace.schedules set fired = fired + 1 where name = ${name}`
    await tx.sql`select pg_notify('millrace_published', '')`
  })
}

function change(
  store: Store,
  name: string,
  work: (tx: Transaction, row: Row, paused: boolean) => Promise<void>,
): Promise<void> {
  return store.transaction(async (tx) => {
    const statement = {
      name: 'millrace-schedule',
      text: `select ${columns}, paused from millrace.schedules where name = $1 for update`,
    }
    const [row] = await tx.run<Row & { paused: boolean }>(statement, [name])
    if (row === undefined) throw new PlatformError('NOT_FOUND', `there is no schedule "${name}"`)
    await work(tx, row, row.paused)
  })
}
