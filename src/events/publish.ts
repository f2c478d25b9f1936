import { PlatformError } from '../kernel/errors.ts'
import { uuidv7 } from '../kernel/ids.ts'
import type { Queryable } from '../store/sql.ts'
import { type Store, sqlState } from '../store/store.ts'
import { append } from './append.ts'
import type { EventDefinition } from './event.ts'
import type { EventMeta, NewRecord } from './record.ts'

export interface PublishOptions extends EventMeta {
  /**
   * An open `pg` client: the event is written through it, so it exists exactly if the client's transaction commits.
   * Without one, concurrent publishes are committed together.
   */
  client?: Queryable
}

/** Publishes an event; resolves to its id once it is durable (or, with a client, written). Throws INPUT_INVALID. */
export type Publish = <D>(event: EventDefinition<D>, data: NoInfer<D>, options?: PublishOptions) => Promise<string>

/** Checks and encodes an event for the log. */
export function newRecord<D>(event: EventDefinition<D>, data: D, meta: EventMeta = {}): NewRecord {
  const checked = event.schema.parse(data, `event ${event.name}`)
  return {
    id: uuidv7(),
    type: event.name,
    version: event.version,
    key: storableKey(event, checked),
    data: encodeData(event, checked),
    meta: encodeMeta(meta),
  }
}

function storableKey<D>(event: EventDefinition<D>, data: D): string | null {
  const key = event.keyOf(data)
  if (key?.includes('\0')) throw refusal(event.name, 'has a key with the character U+0000, which Postgres cannot store')
  return key
}

function encodeData<D>({ name }: EventDefinition<D>, data: D): string {
  const text = JSON.stringify(data) as string | undefined
  if (text === undefined) throw refusal(name, 'has no data')
  return text
}

function refusal(event: string, message: string): PlatformError {
  return new PlatformError('INPUT_INVALID', `event ${event} ${message}`, { issues: [{ path: '', message }] })
}

function encodeMeta({ cause, correlation, traceparent }: EventMeta): string | null {
  if (cause === undefined && correlation === undefined && traceparent === undefined) return null
  return JSON.stringify({ cause, correlation, traceparent })
}

/** Most events and characters of one insert; more wait for the next. */
const maxBatch = 1000
const maxLength = 8 * 1024 * 1024

interface Waiting {
  record: NewRecord
  resolve(): void
  reject(error: unknown): void
}

/**
 * Commits concurrent publishes together: while one insert is under way the next gathers, so latency is one commit and
 * throughput grows with load. One at a time, so events stand in the log in the order of the calls.
 */
export class GroupCommit {
  readonly #store: Store
  readonly #committed: () => void
  #waiting: Waiting[] = []
  #running: Promise<void> | undefined

  /** @param committed called after each commit, to wake the sequencer */
  constructor(store: Store, committed: () => void) {
    this.#store = store
    this.#committed = committed
  }

  add(record: NewRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** Resolves when nothing waits any more. */
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

const recordOf = ({ record }: Waiting): NewRecord => record
