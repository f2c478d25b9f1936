import { append } from '../events/append.ts'
import { newRecord, type Publish } from '../events/publish.ts'
import type { EventMeta, LogRecord, NewRecord } from '../events/record.ts'
import { type Clock, systemClock } from '../kernel/clock.ts'
import { PlatformError } from '../kernel/errors.ts'
import { LazyTransaction } from '../store/lazy-transaction.ts'
import type { Sql } from '../store/sql.ts'
import type { Store, Transaction } from '../store/store.ts'

/** How long handlers may take to notice that the app stops. */
const noticeMs = 500

/** One record whose handling failed, and why. Other errors of an attempt are nobody's fault but the store's. */
export class HandlerFailure extends Error {
  readonly record: LogRecord

  constructor(record: LogRecord, cause: unknown) {
    super('handler failed', { cause })
    this.record = record
  }
}

/**
 * One try at a batch: the transaction its handlers share and the events they publish. It begins nothing in Postgres
 * until somebody asks, and commits everything together with the place in the log.
 */
export class Attempt {
  /** Which try this is for every record of the batch. */
  readonly number: number
  readonly signal: AbortSignal
  readonly #clock: Clock
  readonly #transaction: LazyTransaction
  readonly #outbox: NewRecord[] = []
  #broken: Promise<never> | undefined
  #unwatch = (): void => undefined

  constructor(store: Store, signal: AbortSignal, number: number, clock: Clock = systemClock) {
    this.#clock = clock
    this.#transaction = new LazyTransaction(store)
    this.signal = signal
    this.number = number
  }

  get sql(): Sql {
    return this.#transaction.sql
  }

  transaction(): Promise<Transaction> {
    return this.#transaction.open()
  }

  /** A `publish` whose events name `record` as their cause and commit with this attempt. */
  publishFrom(record: LogRecord): Publish {
    return async (event, data, options = {}) => {
      if (this.#transaction.ended)
        throw new PlatformError('TRANSACTION_ENDED', `the handling of event ${record.position} has ended`)
      const made = newRecord(event, data, { ...causedBy(record), ...options }, this.#clock)
      this.#outbox.push(made)
      return made.id
    }
  }

  /** Rejects soon after the app was told to stop, for handlers that do not listen: one promise for the whole batch. */
  get broken(): Promise<never> {
    this.#broken ??= this.#watch()
    return this.#broken
  }

  /** True when the attempt has nothing to commit but the place in the log. */
  get untouched(): boolean {
    return !this.#transaction.begun && this.#outbox.length === 0
  }

  /** Says whether events were published. */
  async commit(settle: (tx: Transaction) => Promise<void>): Promise<boolean> {
    const tx = await this.#transaction.open()
    await append(tx.client, this.#outbox)
    await settle(tx)
    await this.#transaction.commit()
    this.#unwatch()
    return this.#outbox.length > 0
  }

  rollback(): Promise<void> {
    this.#unwatch()
    return this.#transaction.rollback()
  }

  /** Ends an attempt that has nothing to commit. */
  end(): void {
    this.#unwatch()
  }

  #watch(): Promise<never> {
    const { signal } = this
    const broken = new Promise<never>((_, reject) => {
      let timer: NodeJS.Timeout | undefined
      const onAbort = (): void => {
        timer = setTimeout(() => reject(signal.reason), noticeMs)
      }
      if (signal.aborted) onAbort()
      else signal.addEventListener('abort', onAbort, { once: true })
      this.#unwatch = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
      }
    })
    broken.catch(() => undefined) // nobody may be waiting
    return broken
  }
}

/** What an event hands on to those that its handling sets off. */
export function causedBy(record: LogRecord): EventMeta {
  const meta = record.meta === null ? {} : (JSON.parse(record.meta) as EventMeta)
  return {
    cause: record.position,
    correlation: meta.correlation ?? record.id,
    ...(meta.traceparent === undefined ? {} : { traceparent: meta.traceparent }),
  }
}
