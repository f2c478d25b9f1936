import type { Publish } from '../events/publish.ts'
import type { EventMeta } from '../events/record.ts'
import type { Backoff } from '../kernel/backoff.ts'
import type { Binding } from '../kernel/binding.ts'
import type { Duration } from '../kernel/duration.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Moment } from '../kernel/moment.ts'
import type { Schema } from '../kernel/schema.ts'
import type { Queryable, Sql } from '../store/sql.ts'
import type { JobView } from './list-jobs.ts'

/** What a job's handler gets. */
export interface JobContext<D> {
  readonly data: D
  /** The same on every try, so it serves as idempotency key towards outside systems. */
  readonly id: string
  /** 1 on the first try. A try that a crash ended counts, one that a stop of the app handed back does not. */
  readonly attempt: number
  /** What `perKey` limits it by. */
  readonly key: string | null
  readonly addedAt: Date
  /** Runs in the transaction that also records the job as done: these effects happen exactly once. */
  readonly sql: Sql
  /** Publishes in that same transaction. */
  readonly publish: Publish
  /** Says how far the work is, any JSON value. Stored within half a second; later values replace earlier ones. */
  readonly progress: (value: unknown) => void
  readonly log: Logger
  /** Aborts when the time is up, the job is cancelled, another process has taken it over, or the app stops. */
  readonly signal: AbortSignal
}

export type JobHandler<D, R> = (context: JobContext<D>) => R

export interface JobOptions<D> {
  /** Jobs of one queue with a higher one go first; -32768 to 32767. @default 0 */
  priority?: number
  /** Handlers at work at once in each process. @default 10 */
  concurrency?: number
  /** Jobs of one key at work at once, across all processes. @default no limit */
  perKey?: { key: (data: D) => string | null; concurrency: number }
  /** While a job of this key waits or is at work, adding another one adds nothing. @default none is the same as another */
  unique?: (data: D) => string | null
  /** How long after its end a job's unique key stays taken. @default 0 */
  uniqueFor?: Duration
  /** Failed tries before a job is dead. @default 8 */
  attempts?: number
  /** Waits between tries. @default from 200 ms, doubling, to 5 min */
  backoff?: Backoff
  /** Time for one try, at most 24 days. @default '5m' */
  timeout?: Duration
  /** How long results are kept; 0 keeps none. Dead and cancelled jobs are kept for at least 30 days. @default '1h' */
  retention?: Duration
}

export interface ResolvedJobOptions {
  readonly priority: number
  readonly concurrency: number
  readonly perKey: { readonly key: (data: never) => string | null; readonly concurrency: number } | undefined
  readonly unique: ((data: never) => string | null) | undefined
  readonly uniqueForMs: number
  readonly attempts: number
  readonly backoff: Backoff
  readonly timeoutMs: number
  readonly retentionMs: number
}

export interface AddOptions extends EventMeta {
  /** @default that of the job */
  priority?: number
  /** Not before this time: a `Date`, ISO 8601 text with an offset, or a duration from now. @default at once */
  at?: Moment
  /** In place of what the job's `perKey.key` says. */
  key?: string
  /** In place of what the job's `unique` says. */
  unique?: string
  /**
   * An open `pg` client, or the `sql` of a handler or transaction: the job exists exactly if that transaction commits.
   * Without one, jobs added at the same time are committed together.
   */
  client?: Queryable | Sql
}

/** Work to be done later, by whichever process has time. Usable while an app that lists it runs. */
export interface JobDefinition<D = unknown, R = unknown> {
  readonly kind: 'job'
  readonly name: string
  readonly schema: Schema<D>
  readonly options: ResolvedJobOptions
  readonly handler: JobHandler<unknown, unknown>
  /** Where the platform puts the running queue. */
  readonly binding: Binding<JobPort>
  /**
   * Adds a job; resolves to its id once it is durable (or, with a client, written). With a unique key that is taken, to
   * the id of the job that has it. Throws INPUT_INVALID, JOB_BLOCKED.
   */
  add(data: D, options?: AddOptions): Promise<string>
  /** Adds jobs in one statement; their ids in order. */
  addMany(data: readonly D[], options?: AddOptions): Promise<string[]>
  /** What the handler returned, read back from JSON; `undefined` while it is not done or when nothing is kept of it. */
  result(id: string): Promise<Awaited<R> | undefined>
  /**
   * Waits for the result.
   * @throws JOB_FAILED when the job is dead, JOB_CANCELLED, NOT_FOUND when nothing is known of it, HANDLER_TIMEOUT when it
   * is not done in time (default 30 s)
   */
  waitFor(id: string, options?: { timeout?: Duration }): Promise<Awaited<R>>
  /** Removes a job that waits; aborts the signal of one at work. Says what it met; `undefined` when it is over. */
  cancel(id: string): Promise<'removed' | 'aborted' | undefined>
  /** How a job stands; `undefined` when nothing is kept of it. */
  status(id: string): Promise<JobView | undefined>
}

/** What a running app does for its jobs. */
export interface JobPort {
  add<D>(definition: JobDefinition<D>, data: D, options: AddOptions): Promise<string>
  addMany<D>(definition: JobDefinition<D>, data: readonly D[], options: AddOptions): Promise<string[]>
  result<R>(definition: JobDefinition<never, R>, id: string): Promise<Awaited<R> | undefined>
  waitFor<R>(definition: JobDefinition<never, R>, id: string, timeoutMs: number): Promise<Awaited<R>>
  cancel(definition: JobDefinition<never>, id: string): Promise<'removed' | 'aborted' | undefined>
  status(definition: JobDefinition<never>, id: string): Promise<JobView | undefined>
}
