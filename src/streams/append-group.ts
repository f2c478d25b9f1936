import { PlatformError } from '../kernel/errors.ts'
import { type Store, sqlState } from '../store/store.ts'
import { type Appended, appendToStreams } from './append-to-streams.ts'
import type { StreamAppend } from './stream-append.ts'

/** Most appends of one statement. */
const most = 500
/** How long a statement waits for streams that stand in somebody's open transaction; then those wait by themselves. */
const patienceMs = 50
/** How long one that waits by itself does. */
const longPatienceMs = 10_000
/** Appends that wait by themselves at once: each holds a connection. */
const maxAlone = 4

interface Waiting {
  readonly append: StreamAppend
  resolve(appended: Appended): void
  reject(error: unknown): void
}

/**
 * Commits concurrent appends together: while one statement is under way the next gathers. Each stream stands in a
 * statement once; a second append to it waits for the next one, so it meets what the first left behind. A stream that is
 * locked by somebody's transaction leaves the group until that has ended, and holds up no other.
 */
export class AppendGroup {
  readonly #store: Store
  readonly #committed: () => void
  /** Streams that wait by themselves, with the last append in line. */
  readonly #alone = new Map<string, Promise<void>>()
  /** Those of them that hold a connection. */
  readonly #connected = new Set<Promise<void>>()
  #waiting: Waiting[] = []
  #running: Promise<void> | undefined

  constructor(store: Store, committed: () => void) {
    this.#store = store
    this.#committed = committed
  }

  add(append: StreamAppend): Promise<Appended> {
    return new Promise((resolve, reject) => {
      const waiting = { append, resolve, reject }
      if (this.#alone.has(append.stream)) return this.#standAlone(waiting)
      this.#waiting.push(waiting)
      this.#running ??= this.#run()
    })
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    while (this.#running !== undefined || this.#alone.size > 0)
      await Promise.all([this.#running, ...this.#alone.values()])
  }

  async #run(): Promise<void> {
    await Promise.resolve() // gathers what is appended in the same turn
    while (this.#waiting.length > 0) await this.#commit(this.#take())
    this.#running = undefined
  }

  #take(): Waiting[] {
    const streams = new Set<string>()
    const taken: Waiting[] = []
    const left: Waiting[] = []
    for (const waiting of this.#waiting) {
      const { stream } = waiting.append
      if (this.#alone.has(stream)) this.#standAlone(waiting)
      else if (taken.length < most && !streams.has(stream)) taken.push(waiting)
      else left.push(waiting)
      streams.add(stream)
    }
    this.#waiting = left
    return taken
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    if (batch.length === 0) return
    try {
      await this.#append(batch, patienceMs)
    } catch (error) {
      // Whether it was stored is known of these only: after a lost connection it may have been, and must not be again.
      if (!isBlocked(error) && !isRefusal(error)) for (const { reject } of batch) reject(error)
      else if (batch.length > 1) {
        // One of them is locked or cannot be stored; the others must not suffer for it.
        const half = Math.ceil(batch.length / 2)
        await this.#commit(batch.slice(0, half))
        await this.#commit(batch.slice(half))
      } else if (isBlocked(error)) for (const each of batch) this.#standAlone(each)
      else for (const { reject } of batch) reject(error)
    }
  }

  #standAlone(waiting: Waiting): void {
    const { stream } = waiting.append
    const turn: Promise<void> = (this.#alone.get(stream) ?? Promise.resolve())
      .then(() => this.#wait(waiting))
      .then(() => {
        if (this.#alone.get(stream) === turn) this.#alone.delete(stream)
      })
    this.#alone.set(stream, turn)
  }

  async #wait(waiting: Waiting): Promise<void> {
    while (this.#connected.size >= maxAlone) await Promise.race(this.#connected)
    const work: Promise<void> = this.#append([waiting], longPatienceMs)
      .catch((error: unknown) => waiting.reject(isBlocked(error) ? blocked(waiting.append, error) : error))
      .then(() => {
        this.#connected.delete(work)
      })
    this.#connected.add(work)
    await work
  }

  async #append(batch: readonly Waiting[], patience: number): Promise<void> {
    const appends = batch.map(({ append }) => append)
    const outcomes = await appendToStreams(this.#store, appends, { atomic: false, patienceMs: patience })
    this.#committed()
    for (const [i, { resolve }] of batch.entries()) resolve(outcomes[i] as Appended)
  }
}

/** lock_not_available. */
const isBlocked = (error: unknown): boolean => sqlState(error) === '55P03'

/** Postgres stored nothing because of what an event says (PostgreSQL manual, appendix A, classes 22, 23, 54). */
const isRefusal = (error: unknown): boolean => ['22', '23', '54'].includes(sqlState(error)?.slice(0, 2) ?? '')

function blocked({ stream }: StreamAppend, cause: unknown): PlatformError {
  const message = `nothing was appended to the stream "${stream}": an open transaction holds it`
  return new PlatformError('PUBLISH_BLOCKED', message, { cause })
}
