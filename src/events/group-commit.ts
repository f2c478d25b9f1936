import { PlatformError } from '../kernel/errors.ts'
import { type Store, sqlState } from '../store/store.ts'
import { append } from './append.ts'
import type { NewRecord } from './record.ts'

/** Most events and characters of one insert; more wait for the next. */
const maxBatch = 1000
const maxLength = 8 * 1024 * 1024

/** How long a batch waits for own ids that stand in open transactions; then those that do wait alone. */
const patienceMs = 100
/** How long a publish waits for the transaction that has its id. */
const longPatienceMs = 10_000
/** Publishes that wait alone at once: each holds a connection. */
const maxAlone = 4

interface Waiting {
  record: NewRecord
  resolve(): void
  reject(error: unknown): void
}

/**
 * Commits concurrent publishes together: while one insert is under way the next gathers, so latency is one commit and
 * throughput grows with load. One at a time, so events stand in the log in the order of the calls. Those with terms have a
 * line of their own: what waits for somebody's transaction holds up no others.
 */
export class GroupCommit {
  readonly #store: Store
  readonly #committed: () => void
  readonly #plain: Line
  readonly #onTerms: Line
  readonly #alone = new Set<Promise<void>>()

  /** @param committed called after each commit, to wake the sequencer */
  constructor(store: Store, committed: () => void) {
    this.#store = store
    this.#committed = committed
    this.#plain = new Line((batch) => this.#commit(batch))
    this.#onTerms = new Line((batch) => this.#commitOnTerms(batch))
  }

  add(record: NewRecord): Promise<void> {
    return record.terms === undefined ? this.#plain.add(record) : this.#onTerms.add(record)
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    await Promise.all([this.#plain.drain(), this.#onTerms.drain()])
    await Promise.all(this.#alone)
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    try {
      await this.#store.withClient((client) => append(client, batch.map(recordOf)))
      this.#committed()
      for (const { resolve } of batch) resolve()
    } catch (error) {
      // One of them cannot be stored; the others must not suffer for it.
      if (batch.length > 1 && isRefusal(error)) for (const each of batch) await this.#commit([each])
      else for (const { reject } of batch) reject(error)
    }
  }

  async #commitOnTerms(batch: readonly Waiting[]): Promise<void> {
    try {
      await this.#appendWithin(patienceMs, batch)
    } catch (error) {
      if (isBlocked(error) && batch.length === 1) await this.#leaveAlone(batch)
      else if (batch.length > 1 && (isBlocked(error) || isRefusal(error))) {
        const half = Math.ceil(batch.length / 2)
        await this.#commitOnTerms(batch.slice(0, half))
        await this.#commitOnTerms(batch.slice(half))
      } else for (const { reject } of batch) reject(error)
    }
  }

  async #appendWithin(lockTimeoutMs: number, batch: readonly Waiting[]): Promise<void> {
    await this.#store.transaction(async (tx) => {
      await tx.sql`select set_config('lock_timeout', ${String(lockTimeoutMs)}, true)`
      await append(tx.client, batch.map(recordOf))
    })
    this.#committed()
    for (const { resolve } of batch) resolve()
  }

  /** Lets one wait beside the line; with too many of them the line waits, too. */
  async #leaveAlone(batch: readonly Waiting[]): Promise<void> {
    while (this.#alone.size >= maxAlone) await Promise.race(this.#alone)
    const waiting = this.#appendWithin(longPatienceMs, batch)
      .catch((error: unknown) => {
        for (const { record, reject } of batch) reject(isBlocked(error) ? blocked(record, error) : error)
      })
      .finally(() => this.#alone.delete(waiting))
    this.#alone.add(waiting)
  }
}

/** What waits to be committed, in order; one batch at a time is under way. */
class Line {
  readonly #commit: (batch: readonly Waiting[]) => Promise<void>
  #waiting: Waiting[] = []
  #running: Promise<void> | undefined

  constructor(commit: (batch: readonly Waiting[]) => Promise<void>) {
    this.#commit = commit
  }

  add(record: NewRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  async drain(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async #run(): Promise<void> {
    await Promise.resolve() // gathers what is published in the same turn
    while (this.#waiting.length > 0) {
      await this.#commit(this.#waiting.splice(0, batchSize(this.#waiting)))
    }
    this.#running = undefined
  }
}

function batchSize(waiting: readonly Waiting[]): number {
  let length = 0
  for (const [i, { record }] of waiting.entries()) {
    length += record.data.length
    if (i === maxBatch || (i > 0 && length > maxLength)) return i
  }
  return waiting.length
}

/** Postgres stored nothing because of what an event says (PostgreSQL manual, appendix A, classes 22, 23, 54). */
function isRefusal(error: unknown): boolean {
  return ['22', '23', '54'].includes(sqlState(error)?.slice(0, 2) ?? '')
}

/** lock_not_available. */
const isBlocked = (error: unknown): boolean => sqlState(error) === '55P03'

function blocked({ type }: NewRecord, cause: unknown): PlatformError {
  const message = `event ${type} was not published: an open transaction has published the same id`
  return new PlatformError('PUBLISH_BLOCKED', message, { cause })
}

const recordOf = ({ record }: Waiting): NewRecord => record
