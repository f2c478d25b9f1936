import { errorRecord } from '../kernel/errors.ts'
import type { Statement } from '../store/sql.ts'
import type { Store, Transaction } from '../store/store.ts'

/** A job that this process works on. */
export interface Run {
  readonly id: string
  readonly queue: string
  readonly priority: number
  readonly runAt: string
  readonly attempt: number
  readonly lane: string | null
  readonly uniqueKey: string | null
  readonly data: string
  readonly meta: string | null
  readonly addedAt: string
}

/** How much of one queue a process wants. */
export interface Want {
  readonly queue: string
  readonly count: number
  /** Most jobs of one lane at work at once; `null` without lanes. */
  readonly perLane: number | null
}

const claimStatement: Statement = {
  name: 'millrace-claim-jobs',
  text: `select id, queue, priority, run_at::text as "runAt", attempt, lane, unique_key as "uniqueKey", data::text, meta::text, added_at::text as "addedAt"
    from millrace.claim_jobs($1, $2, $3, $4, $5, $6, $7, $8)`,
}

/** A priority of a queue, and from which due time on its jobs are looked for. */
export interface Level {
  readonly queue: string
  readonly priority: number
  readonly from: Date
}

/** Takes jobs that are due, in no order; only of the given levels, when there are any. */
export function claimJobs(
  store: Store,
  owner: string,
  now: Date,
  wants: readonly Want[],
  levels?: readonly Level[],
): Promise<Run[]> {
  return store.run<Run>(claimStatement, [
    owner,
    now,
    wants.map(({ queue }) => queue),
    wants.map(({ count }) => count),
    wants.map(({ perLane }) => perLane),
    levels?.map(({ queue }) => wants.findIndex((want) => want.queue === queue) + 1) ?? null,
    levels?.map(({ priority }) => priority) ?? null,
    levels?.map(({ from }) => from) ?? null,
  ])
}

const nextStatement: Statement = { name: 'millrace-next-job', text: 'select millrace.next_job_at($1, $2) as at' }

/** When the next delayed job is due, in milliseconds since the Unix epoch. */
export async function nextJobMs(store: Store, queues: readonly string[], now: Date): Promise<number | undefined> {
  const [row] = await store.run<{ at: string | null }>(nextStatement, [queues, now])
  return row === undefined || row.at === null ? undefined : Date.parse(row.at)
}

/** How a job ended well. */
export interface Done {
  readonly run: Run
  /** JSON text. */
  readonly result: string | null
  /** `null` keeps nothing. */
  readonly expiresAt: Date | null
  /** When its unique key is free again. */
  readonly keyUntil: Date
}

const kept = `id, queue, state, priority, attempt, lane, unique_key, data, meta, result, error, added_at, started_at, finished_at, expires_at`

/** Only under the owner and attempt it was claimed with: what was taken over meanwhile is not touched. */
const finish = `
  d as (select * from unnest($2::uuid[], $3::integer[], $4::json[], $5::timestamptz[]) as d(id, attempt, result, expires_at)),
  gone as (
    delete from millrace.job_runs r using d where r.id = d.id and r.attempt = d.attempt and r.owner = $1
    returning r.id, r.queue, r.priority, r.attempt, r.lane, r.unique_key, r.meta, d.result, r.added_at, r.started_at, d.expires_at
  ), kept as (
    insert into millrace.finished_jobs (${kept})
    select id, queue, 'done', priority, attempt, lane, unique_key, null, meta, result, null, added_at, started_at, $6, expires_at
      from gone where expires_at is not null)`

const doneStatement: Statement = {
  name: 'millrace-jobs-done',
  text: `with ${finish} select id from d where not exists (select from gone where gone.id = d.id)`,
}
const doneUniqueStatement: Statement = {
  name: 'millrace-unique-jobs-done',
  text: `with ${finish}, freed as (
      delete from millrace.job_keys k using gone g, unnest($2::uuid[], $7::timestamptz[]) as u(id, until)
       where k.queue = g.queue and k.key = g.unique_key and k.job = g.id and u.id = g.id and u.until <= $6
    ), held as (
      update millrace.job_keys k set until = u.until from gone g, unnest($2::uuid[], $7::timestamptz[]) as u(id, until)
       where k.queue = g.queue and k.key = g.unique_key and k.job = g.id and u.id = g.id and u.until > $6)
    select id from d where not exists (select from gone where gone.id = d.id)`,
}

/** Records jobs as done; returns the ids of those that another process has taken over. */
export async function finishDone(
  target: Store | Transaction,
  owner: string,
  now: Date,
  done: readonly Done[],
): Promise<string[]> {
  const values: unknown[] = [
    owner,
    done.map(({ run }) => run.id),
    done.map(({ run }) => run.attempt),
    done.map(({ result }) => result),
    done.map(({ expiresAt }) => expiresAt),
    now,
  ]
  const unique = done.some(({ run }) => run.uniqueKey !== null)
  if (unique) values.push(done.map(({ keyUntil }) => keyUntil))
  return (await target.run<{ id: string }>(unique ? doneUniqueStatement : doneStatement, values)).map(({ id }) => id)
}

export interface FailedRun {
  readonly run: Run
  readonly error: unknown
  /** When it is tried again; `null` when that was its last try, or it was cancelled. */
  readonly retryAt: Date | null
  readonly cancelled: boolean
  readonly expiresAt: Date
}

/** What was cancelled while it failed is not tried again. */
const failStatement: Statement = {
  name: 'millrace-job-failed',
  text: `with gone as (
      delete from millrace.job_runs where id = $2 and attempt = $3 and owner = $1 returning *
    ), again as (
      insert into millrace.jobs (id, queue, priority, run_at, attempt, lane, unique_key, data, meta, error, added_at)
      select id, queue, priority, $4, attempt, lane, unique_key, data, meta, $5, added_at from gone
       where $4::timestamptz is not null and not cancelled returning id
    ), over as (
      insert into millrace.finished_jobs (${kept})
      select id, queue, case when $6 or cancelled then 'cancelled' else 'dead' end, priority, attempt, lane, unique_key, data,
             meta, null, $5, added_at, started_at, $7, $8 from gone where $4 is null or cancelled returning id, state
    ), freed as (
      delete from millrace.job_keys k using gone g
       where k.queue = g.queue and k.key = g.unique_key and k.job = g.id and g.id in (select id from over))
    select state from over union all select 'waiting' from again`,
}

/** Records a failed try. `undefined` when another process has taken the job over. */
export async function finishFailed(
  store: Store,
  owner: string,
  now: Date,
  { run, error, retryAt, cancelled, expiresAt }: FailedRun,
): Promise<'waiting' | 'dead' | 'cancelled' | undefined> {
  const text = JSON.stringify(errorRecord(error))
  const values = [owner, run.id, run.attempt, retryAt, text, cancelled, now, expiresAt]
  const [row] = await store.run<{ state: 'waiting' | 'dead' | 'cancelled' }>(failStatement, values)
  return row?.state
}

const back = 'id, queue, priority, run_at, attempt, lane, unique_key, data, meta, error, added_at'

const handBackStatement: Statement = {
  name: 'millrace-jobs-back',
  text: `with gone as (
      delete from millrace.job_runs r using unnest($2::uuid[], $3::integer[]) as b(id, attempt)
       where r.id = b.id and r.attempt = b.attempt and r.owner = $1 and not r.cancelled returning r.*)
    insert into millrace.jobs (${back})
    select id, queue, priority, run_at, attempt - 1, lane, unique_key, data, meta, error, added_at from gone`,
}

/** Gives jobs back whose work was not begun or broken off: this was no try. */
export async function handBack(store: Store, owner: string, runs: readonly Run[]): Promise<void> {
  if (runs.length === 0) return
  await store.run(handBackStatement, [owner, runs.map(({ id }) => id), runs.map(({ attempt }) => attempt)])
}

const reviewStatement: Statement = {
  name: 'millrace-review-jobs',
  text: `select id, attempt, cancelled from millrace.job_runs where id = any($2::uuid[]) and owner = $1`,
}

/** Those of the given jobs that this process still has, and whether they were cancelled. */
export async function reviewRuns(
  store: Store,
  owner: string,
  ids: readonly string[],
): Promise<Map<string, { attempt: number; cancelled: boolean }>> {
  const rows = await store.run<{ id: string; attempt: number; cancelled: boolean }>(reviewStatement, [owner, ids])
  return new Map(rows.map((row) => [row.id, row]))
}

const progressStatement: Statement = {
  name: 'millrace-job-progress',
  text: `update millrace.job_runs r set progress = p.progress from unnest($2::uuid[], $3::json[]) as p(id, progress)
    where r.id = p.id and r.owner = $1`,
}

export async function storeProgress(store: Store, owner: string, values: ReadonlyMap<string, string>): Promise<void> {
  if (values.size === 0) return
  await store.run(progressStatement, [owner, [...values.keys()], [...values.values()]])
}
