import type { Statement } from '../store/sql.ts'
import type { Store } from '../store/store.ts'

const cancelStatement: Statement = {
  name: 'millrace-cancel-job',
  text: `with queued as (
      delete from millrace.jobs where id = $1 and ($2::text is null or queue = $2) returning *
    ), over as (
      insert into millrace.finished_jobs
        (id, queue, state, priority, attempt, lane, unique_key, data, meta, error, added_at, finished_at, expires_at)
      select id, queue, 'cancelled', priority, attempt, lane, unique_key, data, meta, error, added_at, $3, $3::timestamptz + interval '30 days' from queued
    ), freed as (
      delete from millrace.job_keys k using queued q where k.queue = q.queue and k.key = q.unique_key and k.job = q.id
    ), running as (
      update millrace.job_runs set cancelled = true where id = $1 and ($2::text is null or queue = $2) returning id
    ), told as (
      select pg_notify('millrace_jobs', 'cancel') from running
    )
    select 'removed' as met from queued union all select 'aborted' from running, told`,
}

/** Removes a job that waits, tells one at work to end. Says what it met; `undefined` when the job is over or unknown. */
export async function cancelJob(
  store: Pick<Store, 'run'>,
  now: Date,
  id: string,
  name?: string,
): Promise<'removed' | 'aborted' | undefined> {
  // A job that is claimed, or fails, just now is seen at its new place by the next look.
  for (let look = 1; look <= 3; look += 1) {
    const [row] = await store.run<{ met: 'removed' | 'aborted' }>(cancelStatement, [id, name ?? null, now])
    if (row !== undefined) return row.met
  }
  return undefined
}

const retryStatement: Statement = {
  name: 'millrace-retry-job',
  text: `with over as (
      select * from millrace.finished_jobs where id = $1 and state in ('dead', 'cancelled') for update
    ), keyed as (
      insert into millrace.job_keys as k (queue, key, job) select queue, unique_key, id from over where unique_key is not null
      on conflict (queue, key) do update set job = excluded.job, until = null where k.until <= $2 or k.job = excluded.job
      returning job
    ), allowed as (
      select * from over where unique_key is null or id in (select job from keyed)
    ), gone as (
      delete from millrace.finished_jobs f using allowed a where f.id = a.id
    ), again as (
      insert into millrace.jobs (id, queue, priority, run_at, attempt, lane, unique_key, data, meta, error, added_at)
      select id, queue, priority, $2, 0, lane, unique_key, data, meta, error, added_at from allowed returning id
    ), early as (
      update millrace.jobs set run_at = $2 where id = $1 and run_at > $2 returning id
    ), told as (
      select pg_notify('millrace_jobs', '') where exists (select from again) or exists (select from early)
    )
    select case when exists (select from again) then 'again' when exists (select from early) then 'early'
                when exists (select from over) then 'taken' end as met, (select count(*) from told) as told`,
}

/**
 * Has a dead or cancelled job done again, all its tries before it; one that waits for its time or its next try is due at
 * once. `'taken'` when another job has its unique key meanwhile; `undefined` when there is nothing to try again.
 */
export async function retryJob(
  store: Pick<Store, 'run'>,
  now: Date,
  id: string,
): Promise<'again' | 'early' | 'taken' | undefined> {
  const [row] = await store.run<{ met: 'again' | 'early' | 'taken' | null }>(retryStatement, [id, now])
  return row?.met ?? undefined
}
