import type { ErrorRecord } from '../kernel/errors.ts'
import type { Statement } from '../store/sql.ts'
import type { Store } from '../store/store.ts'

/** `waiting`: for a worker, or for its time. */
export type JobState = 'waiting' | 'running' | 'done' | 'dead' | 'cancelled'

/** How a job stands. Times are ISO 8601. */
export interface JobView {
  readonly id: string
  readonly name: string
  readonly state: JobState
  readonly priority: number
  /** Tries so far, the one at work included. */
  readonly attempt: number
  /** What `perKey` limits it by. */
  readonly key: string | null
  readonly uniqueKey: string | null
  /** `null` of jobs that are done. */
  readonly data: unknown
  readonly progress: unknown
  /** Of the last try that failed. */
  readonly error: ErrorRecord | null
  readonly addedAt: string
  /** When it is due; of jobs that wait. */
  readonly runAt: string | null
  readonly startedAt: string | null
  readonly finishedAt: string | null
  /** The process at work on it. */
  readonly member: string | null
}

const columns = `id, queue as name, state, priority, attempt, lane as key, unique_key as "uniqueKey", data, progress, error,
  added_at as "addedAt", run_at as "runAt", started_at as "startedAt", finished_at as "finishedAt", member`

const waiting = `select id, queue, 'waiting' as state, priority, attempt, lane, unique_key, data, null::json as progress, error,
  added_at, run_at, null::timestamptz as started_at, null::timestamptz as finished_at, null as member from millrace.jobs`
const running = `select r.id, queue, 'running' as state, priority, attempt, lane, unique_key, data, progress, error,
  added_at, run_at, r.started_at, null::timestamptz as finished_at, coalesce(m.name, r.owner::text) as member from millrace.job_runs r left join millrace.members m on m.id = r.owner`
const finished = `select id, queue, state, priority, attempt, lane, unique_key, data, null::json as progress, error,
  added_at, null::timestamptz as run_at, started_at, finished_at, null as member from millrace.finished_jobs`

const oneStatement: Statement = {
  name: 'millrace-job',
  text: `select ${columns} from (${waiting} where id = $1 union all ${running} where r.id = $1 union all ${finished} where id = $1) j
    where $2::text is null or queue = $2`,
}

/** One job, wherever it stands; of any queue without `name`. */
export async function findJob(store: Pick<Store, 'run'>, id: string, name?: string): Promise<JobView | undefined> {
  const [job] = await store.run<JobView>(oneStatement, [id, name ?? null])
  return job
}

export interface JobFilter {
  readonly name?: string
  readonly state?: JobState
  /** Only jobs added before this one (to page back). */
  readonly before?: string
  /** @default 50, at most 500 */
  readonly limit?: number
}

/** Each table is read to the limit only, so that a long queue is not read to its end. */
const part = (text: string, id: string, more = ''): string =>
  `(${text} where ($1::text is null or queue = $1) and ($2::uuid is null or ${id} < $2) ${more} order by ${id} desc limit $3)`
const inState = (state: JobState): string[] => {
  if (state === 'waiting') return [part(waiting, 'id')]
  if (state === 'running') return [part(running, 'r.id')]
  return [part(finished, 'id', `and state = '${state}'`)]
}
const everywhere = [part(waiting, 'id'), part(running, 'r.id'), part(finished, 'id')]

/** Jobs, the last added first. */
export function listJobs(store: Pick<Store, 'run'>, filter: JobFilter = {}): Promise<JobView[]> {
  const { name = null, state, before = null, limit = 50 } = filter
  const parts = state === undefined ? everywhere : inState(state)
  const text = `select ${columns} from (${parts.join(' union all ')}) j order by id desc limit $3`
  return store.run<JobView>({ name: `millrace-jobs-${state ?? 'all'}`, text }, [name, before, Math.min(limit, 500)])
}

/** How many jobs of one name stand where. */
export interface JobCounts {
  readonly name: string
  /** Due, waiting for a worker. */
  readonly ready: number
  /** Waiting for their time, retries included. */
  readonly delayed: number
  readonly running: number
  readonly dead: number
}

const countStatement: Statement = {
  name: 'millrace-count-jobs',
  text: `select name, sum(ready)::int as ready, sum(delayed)::int as delayed, sum(running)::int as running, sum(dead)::int as dead from (
      select queue as name, count(*) filter (where run_at <= $1) as ready, count(*) filter (where run_at > $1) as delayed, 0 as running, 0 as dead
        from millrace.jobs group by queue
      union all select queue, 0, 0, count(*), 0 from millrace.job_runs group by queue
      union all select queue, 0, 0, 0, count(*) from millrace.finished_jobs where state <> 'done' and state = 'dead' group by queue) c
    group by name order by name`,
}

/** Counts every job that is not done: of millions it takes a moment. */
export function countJobs(store: Pick<Store, 'run'>, now: Date): Promise<JobCounts[]> {
  return store.run<JobCounts>(countStatement, [now])
}
