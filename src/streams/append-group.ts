import { type Store, sqlState } from '../store/store.ts'
import { type Appended, appendToStreams } from './append-to-streams.ts'
import type { StreamAppend } from './stream-append.ts'

/** Most appends of one statement. */
const most = 500
/** How long a statement waits for streams that stand in somebody's open transaction; then those wait by themselves. */
const patienceMs = 50

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
      if (batch.length > 1) {
        // One of them is locked or cannot be stored; the others must not suffer for it.
        const half = Math.ceil(batch.length / 2)
        await this.#commit(batch.slice(0, half))
        await this.#commit(batch.slice(half))
      } else if (sqlState(error) === '55P03') for (const each of batch) this.#standAlone(each)
      else for (const { reject } of batch) reject(error)
    }
  }

  #standAlone(waiting: Waiting): void {
    const { stream } = waiting.append
    const turn: Promise<void> = (this.#alone.get(stream) ?? Promise.resolve())
      .then(() => this.#append([waiting], 0))
      .catch((error: unknown) => waiting.reject(error))
      .then(() => {
        if (this.#alone.get(stream) === turn) this.#alone.delete(stream)
      })
    this.#alone.set(stream, turn)
  }

  async #append(batch: readonly Waiting[], patience: number): Promise<void> {
    const appends = batch.map(({ append }) => append)
    const outcomes = await appendToStreams(this.#store.sql, appends, { atomic: false, patienceMs: patience })
    this.#committed()
    for (const [i, { resolve }] of batch.entries()) resolve(outcomes[i] as Appended)
  }
}
