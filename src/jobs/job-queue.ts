import { type Clock, systemClock } from '../kernel/clock.ts'
import { type ErrorRecord, PlatformError } from '../kernel/errors.ts'
import { type CommitLine, commitLine, patientLine } from '../store/commit-line.ts'
import type { Queryable, Statement } from '../store/sql.ts'
import { type Store, sqlState } from '../store/store.ts'
import { addJobs, type NewJob, newJob } from './add-jobs.ts'
import type { AddOptions, JobDefinition, JobPort } from './job-definition.ts'
import { findJob, type JobState, type JobView } from './list-jobs.ts'
import { cancelJob } from './mend-jobs.ts'

export interface JobQueueDeps {
  store: Store
  /** The app's clock. */
  clock: Clock
  /** Jobs were added. */
  added: () => void
  /** Jobs were added in a transaction whose commit we do not see. */
  expected: () => void
}

/** What callers of a job reach: adding, results, cancelling. One for all jobs of an app in one process. */
export class JobQueue implements JobPort {
  readonly #deps: JobQueueDeps
  readonly #plain: CommitLine<NewJob, string>
  readonly #unique: CommitLine<NewJob, string>
  readonly #waiters = new Set<{ id: string; look: () => void }>()

  constructor(deps: JobQueueDeps) {
    this.#deps = deps
    const options = { store: deps.store, write, committed: deps.added, lengthOf: ({ data }: NewJob) => data.length }
    this.#plain = commitLine(options)
    this.#unique = patientLine({ ...options, blocked })
  }

  async add<D>(definition: JobDefinition<D>, data: D, options: AddOptions): Promise<string> {
    const job = newJob(definition, data, options, this.#deps.clock.now())
    if (options.client === undefined) return (job.uniqueKey === null ? this.#plain : this.#unique).add(job)
    const [id] = await addJobs(options.client, [job])
    this.#deps.expected()
    return id as string
  }

  async addMany<D>(definition: JobDefinition<D>, data: readonly D[], options: AddOptions): Promise<string[]> {
    const now = this.#deps.clock.now()
    const jobs = data.map((each) => newJob(definition, each, options, now))
    if (options.client !== undefined) {
      const ids = await addJobs(options.client, jobs)
      this.#deps.expected()
      return ids
    }
    const ids = await this.#addTogether(jobs)
    this.#deps.added()
    return ids
  }

  /** Jobs that end give their unique keys up in another order than they are taken: one of the two begins again. */
  async #addTogether(jobs: readonly NewJob[]): Promise<string[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#deps.store.transaction((tx) => addJobs(tx.client, jobs))
      } catch (error) {
        if (sqlState(error) !== deadlock || attempt === 5) throw error
      }
    }
  }

  async result<R>(definition: JobDefinition<never, R>, id: string): Promise<Awaited<R> | undefined> {
    const found = (await readEnds(this.#deps.store, [id])).get(id)
    return found?.name === definition.name && found.state === 'done' ? (resultOf(found) as Awaited<R>) : undefined
  }

  cancel({ name }: JobDefinition<never>, id: string): Promise<'removed' | 'aborted' | undefined> {
    return cancelJob(this.#deps.store, new Date(this.#deps.clock.now()), id, name)
  }

  status({ name }: JobDefinition<never>, id: string): Promise<JobView | undefined> {
    return findJob(this.#deps.store, id, name)
  }

  async waitFor<R>(definition: JobDefinition<never, R>, id: string, timeoutMs: number): Promise<Awaited<R>> {
    const deadline = performance.now() + timeoutMs
    let pause = 5
    for (;;) {
      const end = (await readEnds(this.#deps.store, [id])).get(id)
      if (end === undefined || end.name !== definition.name)
        throw new PlatformError('NOT_FOUND', `nothing is known of job ${definition.name} ${id}`)
      if (end.state === 'done') return resultOf(end) as Awaited<R>
      if (end.state === 'cancelled')
        throw new PlatformError('JOB_CANCELLED', `job ${definition.name} ${id} was cancelled`)
      if (end.state === 'dead') throw failure(definition.name, id, end.error)
      const left = deadline - performance.now()
      if (left <= 0)
        throw new PlatformError('HANDLER_TIMEOUT', `job ${definition.name} ${id} is not done after ${timeoutMs} ms`)
      await this.#ended(id, Math.min(left, pause))
      pause = Math.min(250, pause * 2)
    }
  }

  /** Told by the worker of this process; ends elsewhere are found by looking. */
  ended(ids: readonly string[]): void {
    if (this.#waiters.size === 0) return
    const over = new Set(ids)
    for (const { id, look } of this.#waiters) if (over.has(id)) look()
  }

  async drain(): Promise<void> {
    await Promise.all([this.#plain.drain(), this.#unique.drain()])
  }

  async #ended(id: string, timeoutMs: number): Promise<void> {
    const waiting = new AbortController()
    const waiter = { id, look: () => waiting.abort() }
    this.#waiters.add(waiter)
    await systemClock.sleep(timeoutMs, waiting.signal)
    this.#waiters.delete(waiter)
  }
}

const deadlock = '40P01'

const write = (client: Queryable, jobs: readonly NewJob[]): Promise<string[]> => addJobs(client, jobs)

function blocked({ queue }: NewJob, cause: unknown): PlatformError {
  return new PlatformError('JOB_BLOCKED', `job ${queue} was not added: an open transaction has its unique key`, {
    cause,
  })
}

interface End {
  readonly id: string
  readonly name: string
  readonly state: JobState
  readonly result: unknown
  readonly error: ErrorRecord | null
}

const endsStatement: Statement = {
  name: 'millrace-job-ends',
  text: `select id, queue as name, 'waiting' as state, null::json as result, null::json as error from millrace.jobs where id = any($1::uuid[])
    union all select id, queue, 'running', null, null from millrace.job_runs where id = any($1::uuid[])
    union all select id, queue, state, result, error from millrace.finished_jobs where id = any($1::uuid[])`,
}

async function readEnds(store: Pick<Store, 'run'>, ids: readonly string[]): Promise<Map<string, End>> {
  return new Map((await store.run<End>(endsStatement, [ids])).map((end) => [end.id, end]))
}

/** A handler that returned nothing has the result `undefined`. */
const resultOf = ({ result }: End): unknown => result ?? undefined

function failure(name: string, id: string, error: ErrorRecord | null): PlatformError {
  const cause = new Error(error?.message ?? 'its process ended while it was at work')
  if (error !== null) cause.name = error.code
  return new PlatformError('JOB_FAILED', `job ${name} ${id} is dead: ${cause.message}`, { cause })
}
