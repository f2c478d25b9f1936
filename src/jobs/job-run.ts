import { append } from '../events/append.ts'
import { newRecord, type Publish } from '../events/publish.ts'
import type { EventMeta, NewRecord } from '../events/record.ts'
import type { Clock } from '../kernel/clock.ts'
import { PlatformError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import { LazyTransaction } from '../store/lazy-transaction.ts'
import type { Sql } from '../store/sql.ts'
import type { Store, Transaction } from '../store/store.ts'
import type { JobContext } from './job-definition.ts'
import type { Run } from './runs.ts'

export interface JobRunDeps {
  store: Store
  clock: Clock
  log: Logger
}

/**
 * One try at a job: what its handler sees, and the transaction that its effects and its end share. Made per job, so
 * everything that can wait is a getter.
 */
export class JobRun implements JobContext<unknown> {
  readonly run: Run
  readonly log: Logger
  /** Progress that is not stored yet, JSON text. */
  unsaid: string | undefined
  readonly #deps: JobRunDeps
  #data: unknown
  #transaction: LazyTransaction | undefined
  #outbox: NewRecord[] | undefined
  #ending: AbortController | undefined
  #endedBy: PlatformError | undefined
  #over = false
  #break: ((reason: PlatformError) => void) | undefined

  constructor(run: Run, deps: JobRunDeps) {
    this.run = run
    this.log = deps.log
    this.#deps = deps
  }

  get data(): unknown {
    this.#data ??= JSON.parse(this.run.data)
    return this.#data
  }
  get id(): string {
    return this.run.id
  }
  get attempt(): number {
    return this.run.attempt
  }
  get key(): string | null {
    return this.run.lane
  }
  get addedAt(): Date {
    return new Date(this.run.addedAt)
  }
  get sql(): Sql {
    this.#transaction ??= new LazyTransaction(this.#deps.store)
    return this.#transaction.sql
  }
  get publish(): Publish {
    return async (event, data, options = {}) => {
      this.#refuseLate()
      const record = newRecord(event, data, { ...this.#origin(), ...options }, this.#deps.clock)
      this.#outbox ??= []
      this.#outbox.push(record)
      return record.id
    }
  }
  get signal(): AbortSignal {
    this.#ending ??= new AbortController()
    if (this.#endedBy !== undefined) this.#ending.abort(this.#endedBy)
    return this.#ending.signal
  }

  get progress(): (value: unknown) => void {
    return (value) => {
      this.#refuseLate()
      this.unsaid = JSON.stringify(value) ?? 'null'
    }
  }

  /** True when there is nothing to commit but its end. */
  get untouched(): boolean {
    return (this.#transaction === undefined || !this.#transaction.begun) && this.#outbox === undefined
  }

  /** Why it was told to end, when it was. */
  get endedBy(): PlatformError | undefined {
    return this.#endedBy
  }

  /** Tells the handler to end. It has a moment to do so; what it does after that has no effect. */
  end(reason: PlatformError, momentMs = 0): void {
    if (this.#endedBy !== undefined) return
    this.#endedBy = reason
    this.#ending?.abort(reason)
    if (momentMs === 0) this.#break?.(reason)
    else setTimeout(() => this.#break?.(reason), momentMs).unref()
  }

  /** The work, or the end that came before. */
  inTime(work: PromiseLike<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#break = reject
      work.then(resolve, reject)
    })
  }

  /** Commits the effects with what `settle` writes; says whether events were published. */
  async commit(settle: (tx: Transaction) => Promise<void>): Promise<boolean> {
    this.#over = true
    this.#transaction ??= new LazyTransaction(this.#deps.store)
    const tx = await this.#transaction.open()
    await append(tx.client, this.#outbox ?? [])
    await settle(tx)
    await this.#transaction.commit()
    return this.#outbox !== undefined
  }

  async rollback(): Promise<void> {
    this.#over = true
    if (this.#transaction?.ended === false) await this.#transaction.rollback()
  }

  #refuseLate(): void {
    if (this.#over) throw new PlatformError('TRANSACTION_ENDED', `the work of job ${this.run.id} has ended`)
  }

  #origin(): EventMeta {
    const { cause: _, ...meta } = this.run.meta === null ? {} : (JSON.parse(this.run.meta) as EventMeta)
    return { correlation: this.run.id, ...meta }
  }
}
