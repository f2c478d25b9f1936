import type pg from 'pg'
import { messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import { Wake } from '../kernel/wake.ts'
import type { Statement } from '../store/sql.ts'
import type { Store } from '../store/store.ts'
import { keepPlans, type LogSource, readBounds, readLog, readOn, type Stretch } from './read.ts'
import type { LogRecord } from './record.ts'
import type { Selection } from './selection.ts'

/** What a process keeps of the newest events, so that all its followers share one read of the log. */
const keepRecords = 20_000
const keepBytes = 32 * 1024 * 1024
const readSpan = 2000
const overlap = 1000
/** Polling when no wake-up came: slow when idle, so that an idle process asks the store less than four times a second. */
const pollMinMs = 25
const pollMaxMs = 300

/** Called when the stream of records broke and went on: what was derived in memory may have missed something. */
export type FeedListener = { advanced(): void; cut(): void; resumed(): void }

export interface FeedOptions {
  store: Store
  logger: Logger
}

/**
 * The head of the log in memory: one loop per process reads what is new and every follower takes from here. A follower
 * that fell behind reads the store itself.
 */
export class Feed {
  readonly #store: Store
  readonly #logger: Logger
  readonly #wake = new Wake()
  readonly #listeners = new Set<FeedListener>()
  #records: LogRecord[] = []
  #bytes = 0
  #head = 0
  #connected = false
  #client: pg.Client | undefined
  #source: LogSource

  constructor({ store, logger }: FeedOptions) {
    this.#store = store
    this.#source = store
    this.#logger = logger
  }

  /** Last position that this process knows. */
  get head(): number {
    return this.#head
  }

  /** Says that there may be news; cheap, call it freely. */
  poke(): void {
    this.#wake.poke()
  }

  subscribe(listener: FeedListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The records after `after` that are kept here, or `undefined` when that place is not kept any more. */
  kept(after: number): readonly LogRecord[] | undefined {
    if (after >= this.#head) return []
    const first = this.#records[0]?.position ?? this.#head + 1
    if (after + 1 < first) return undefined
    return this.#records.slice(after + 1 - first)
  }

  /** Takes at most `limit` positions after `after`, from memory or else from the store. */
  async take(after: number, limit: number, only: Selection): Promise<Stretch> {
    const kept = this.kept(after)
    if (kept === undefined) {
      const { records, through } = await readLog(this.#store, { after, span: limit, only })
      return { records: records.filter(only.wants), through }
    }
    const stretch = kept.length > limit ? kept.slice(0, limit) : kept
    return { records: stretch.filter(only.wants), through: stretch.at(-1)?.position ?? after }
  }

  /** Starts at the present head and follows until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    let pollMs = pollMinMs
    while (!signal.aborted) {
      try {
        if (!this.#connected) await this.#connect()
        const advanced = await this.#advance()
        pollMs = advanced ? pollMinMs : Math.min(pollMaxMs, pollMs * 2)
        if (!advanced) await this.#wake.wait(pollMs, signal)
      } catch (error) {
        this.#cut(error)
        await this.#wake.wait(pollMaxMs, signal)
      }
    }
    await this.#disconnect()
  }

  /** Always the same connection: a server that crashed and came back cannot pass unnoticed. */
  async #connect(): Promise<void> {
    await this.#disconnect()
    const client = await this.#store.connect()
    this.#client = client
    if (this.#store.sessions) await keepPlans(client)
    this.#source = {
      keepsPlans: this.#store.sessions,
      withClient: (work) => work(client),
      run: async <R extends object>(statement: Statement, values: readonly unknown[] = []) =>
        (await client.query({ ...statement, values: [...values] })).rows as R[],
    }
    const { tail, head } = await readBounds(this.#source)
    const first = this.#head === 0 && this.#records.length === 0
    // After a cut the memory starts anew: a server that crashed may have taken back the newest positions. A new process
    // begins a little before the head: what was placed just now may have been committed where no snapshot saw it yet.
    this.#records = []
    this.#bytes = 0
    this.#head = Math.max(tail, first ? head - overlap : Math.min(head, this.#head))
    this.#connected = true
    for (const listener of this.#listeners) listener.resumed()
  }

  async #disconnect(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    await client?.end().catch(() => undefined) // broken already
  }

  async #advance(): Promise<boolean> {
    const { records } = await readOn(this.#source, { after: this.#head, span: readSpan })
    const last = records.at(-1)
    if (last === undefined) return false
    this.#keep(records)
    this.#head = last.position
    for (const listener of this.#listeners) listener.advanced()
    return true
  }

  #keep(records: readonly LogRecord[]): void {
    for (const record of records) {
      this.#records.push(record)
      this.#bytes += record.data.length
    }
    if (this.#records.length < keepRecords * 1.5 && this.#bytes < keepBytes * 1.5) return
    let drop = Math.max(0, this.#records.length - keepRecords)
    let bytes = this.#bytes
    for (let i = 0; i < this.#records.length && (i < drop || bytes > keepBytes); i += 1) {
      bytes -= this.#records[i]?.data.length ?? 0
      drop = Math.max(drop, i + 1)
    }
    this.#records = this.#records.slice(drop)
    this.#bytes = bytes
  }

  #cut(error: unknown): void {
    if (!this.#connected) return
    this.#connected = false
    this.#logger.warn({ error: messageOf(error) }, 'reading the log failed; it is tried again')
    for (const listener of this.#listeners) listener.cut()
  }
}
