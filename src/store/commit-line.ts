import type { Queryable } from './sql.ts'
import { type Store, sqlState } from './store.ts'

/** Most items and characters of one batch; more wait for the next. */
const maxBatch = 1000
const maxLength = 8 * 1024 * 1024

/** How long a batch waits for rows of open transactions; then those items that do wait alone. */
const patienceMs = 100
/** How long an item waits alone. */
const longPatienceMs = 10_000
/** Items that wait alone at once: each holds a connection. */
const maxAlone = 4

export interface LineOptions<T, R> {
  store: Store
  /** Writes a batch in one transaction, or in one statement; returns what each item's caller gets. */
  write(client: Queryable, items: readonly T[]): Promise<readonly R[]>
  /** Characters of an item, roughly. */
  lengthOf(item: T): number
  /** Called after each commit. */
  committed(): void
}

export interface PatientOptions<T, R> extends LineOptions<T, R> {
  /** What the caller is told when the other transaction did not end in time. */
  blocked(item: T, cause: unknown): Error
}

interface Waiting<T, R> {
  item: T
  resolve(result: R): void
  reject(error: unknown): void
}

/** Commits what is added at the same time together; one batch at a time, so it is committed in the order of the calls. */
export interface CommitLine<T, R> {
  add(item: T): Promise<R>
  /** Resolves when nothing waits any more. */
  drain(): Promise<void>
}

/** For a `write` of one statement that waits for nobody. */
export function commitLine<T, R>(options: LineOptions<T, R>): CommitLine<T, R> {
  const commit = async (batch: readonly Waiting<T, R>[]): Promise<void> => {
    try {
      settle(batch, await options.store.withClient((client) => options.write(client, batch.map(itemOf))), options)
    } catch (error) {
      // One of them cannot be stored; the others must not suffer for it.
      if (batch.length > 1 && isRefusal(error)) for (const each of batch) await commit([each])
      else for (const { reject } of batch) reject(error)
    }
  }
  return new Line(commit, options.lengthOf)
}

/** For a `write` that may wait for rows in other people's transactions: who must wait for long does so beside the line. */
export function patientLine<T, R>(options: PatientOptions<T, R>): CommitLine<T, R> {
  const alone = new Set<Promise<void>>()
  const writeWithin = async (lockTimeoutMs: number, batch: readonly Waiting<T, R>[]): Promise<void> => {
    const results = await options.store.transaction(async (tx) => {
      await tx.sql`select set_config('lock_timeout', ${String(lockTimeoutMs)}, true)`
      return options.write(tx.client, batch.map(itemOf))
    })
    settle(batch, results, options)
  }
  const leaveAlone = async (one: Waiting<T, R>): Promise<void> => {
    while (alone.size >= maxAlone) await Promise.race(alone)
    const waiting = writeWithin(longPatienceMs, [one])
      .catch((error: unknown) => one.reject(isBlocked(error) ? options.blocked(one.item, error) : error))
      .finally(() => alone.delete(waiting))
    alone.add(waiting)
  }
  const commit = async (batch: readonly Waiting<T, R>[]): Promise<void> => {
    try {
      await writeWithin(patienceMs, batch)
    } catch (error) {
      const [first] = batch
      if (batch.length === 1 && first !== undefined && isBlocked(error)) await leaveAlone(first)
      else if (batch.length > 1 && (isBlocked(error) || isRefusal(error))) {
        const half = Math.ceil(batch.length / 2)
        await commit(batch.slice(0, half))
        await commit(batch.slice(half))
      } else for (const { reject } of batch) reject(error)
    }
  }
  const line = new Line<T, R>(commit, options.lengthOf)
  return {
    add: (item) => line.add(item),
    async drain() {
      await line.drain()
      await Promise.all(alone)
    },
  }
}

class Line<T, R> implements CommitLine<T, R> {
  readonly #commit: (batch: readonly Waiting<T, R>[]) => Promise<void>
  readonly #lengthOf: (item: T) => number
  #waiting: Waiting<T, R>[] = []
  #running: Promise<void> | undefined

  constructor(commit: (batch: readonly Waiting<T, R>[]) => Promise<void>, lengthOf: (item: T) => number) {
    this.#commit = commit
    this.#lengthOf = lengthOf
  }

  add(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  async drain(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async #run(): Promise<void> {
    await Promise.resolve() // gathers what is added in the same turn
    while (this.#waiting.length > 0) await this.#commit(this.#waiting.splice(0, this.#batchSize()))
    this.#running = undefined
  }

  #batchSize(): number {
    let length = 0
    for (const [i, { item }] of this.#waiting.entries()) {
      length += this.#lengthOf(item)
      if (i === maxBatch || (i > 0 && length > maxLength)) return i
    }
    return this.#waiting.length
  }
}

function settle<T, R>(
  batch: readonly Waiting<T, R>[],
  results: readonly R[],
  { committed }: Pick<LineOptions<T, R>, 'committed'>,
): void {
  committed()
  for (const [i, { resolve }] of batch.entries()) resolve(results[i] as R)
}

const itemOf = <T>({ item }: { item: T }): T => item

/** Postgres stored nothing because of what an item says (PostgreSQL manual, appendix A, classes 22, 23, 54). */
function isRefusal(error: unknown): boolean {
  return ['22', '23', '54'].includes(sqlState(error)?.slice(0, 2) ?? '')
}

/** lock_not_available; deadlock_detected, which is the same to whoever is told. */
const isBlocked = (error: unknown): boolean => ['55P03', '40P01'].includes(sqlState(error) ?? '')
