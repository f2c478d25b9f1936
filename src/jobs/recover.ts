import { alive } from '../store/member.ts'
import type { Statement } from '../store/sql.ts'
import type { Store } from '../store/store.ts'

const deadStatement: Statement = {
  name: 'millrace-dead-members',
  text: 'select id from millrace.members where until <= now()',
}

const batch = 1000

/** A try that its process did not survive counts: a job that kills its processes comes to its end. */
const recoverStatement: Statement = {
  name: 'millrace-recover-jobs',
  text: `with lost as (
      select id from millrace.job_runs r where not ${alive('r.owner')} limit $2 for update skip locked
    ), gone as (
      delete from millrace.job_runs r using lost where r.id = lost.id returning r.*
    ), again as (
      insert into millrace.jobs (id, queue, priority, run_at, attempt, lane, unique_key, data, meta, error, added_at)
      select id, queue, priority, run_at, attempt, lane, unique_key, data, meta, error, added_at from gone where not cancelled
      returning id
    ), over as (
      insert into millrace.finished_jobs
        (id, queue, state, priority, attempt, lane, unique_key, data, meta, error, added_at, started_at, finished_at, expires_at)
      select id, queue, 'cancelled', priority, attempt, lane, unique_key, data, meta, error, added_at, started_at, $1, $1::timestamptz + interval '30 days'
        from gone where cancelled
    ), freed as (
      delete from millrace.job_keys k using gone g where g.cancelled and k.queue = g.queue and k.key = g.unique_key and k.job = g.id
    )
    select count(*)::int as found, (select count(*) from again)::int as again from gone`,
}

/** Puts the jobs of dead processes back; says how many. */
export async function recoverJobs(store: Store, now: Date): Promise<number> {
  let total = 0
  for (;;) {
    const [row] = await store.run<{ found: number; again: number }>(recoverStatement, [now, batch])
    total += row?.again ?? 0
    if ((row?.found ?? 0) < batch) return total
  }
}

/** Living processes are looked for often, the jobs of those that nobody remembers seldom: that reads all of `job_runs`. */
export class Recovery {
  readonly #store: Store
  readonly #known = new Set<string>()
  #sweptAt = Number.NEGATIVE_INFINITY

  constructor(store: Store) {
    this.#store = store
  }

  async turn(now: Date): Promise<number> {
    const dead = await this.#store.run<{ id: string }>(deadStatement)
    const fresh = dead.filter(({ id }) => !this.#known.has(id))
    if (fresh.length === 0 && performance.now() - this.#sweptAt < 60_000) return 0
    this.#sweptAt = performance.now()
    const recovered = await recoverJobs(this.#store, now)
    this.#known.clear()
    for (const { id } of dead) this.#known.add(id)
    return recovered
  }
}

const pruneStatement: Statement = {
  name: 'millrace-prune-jobs',
  text: `with old as (
      delete from millrace.finished_jobs where id in (
        select id from millrace.finished_jobs where expires_at <= $1 order by expires_at limit $2 for update skip locked) returning 1
    ), keys as (
      delete from millrace.job_keys where (queue, key) in (
        select queue, key from millrace.job_keys where until <= $1 order by until limit $2 for update skip locked) returning 1)
    select greatest((select count(*) from old), (select count(*) from keys))::int as gone`,
}

/** Forgets results and unique keys whose time is up, in batches. */
export async function pruneJobs(store: Store, now: Date): Promise<void> {
  for (;;) {
    const [row] = await store.run<{ gone: number }>(pruneStatement, [now, batch])
    if ((row?.gone ?? 0) < batch) return
  }
}
