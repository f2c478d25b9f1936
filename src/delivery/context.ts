import type { Publish } from '../events/publish.ts'
import type { EventMeta, LogRecord } from '../events/record.ts'
import type { PlatformError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Sql } from '../store/sql.ts'
import { type Attempt, causedBy, HandlerFailure } from './attempt.ts'
import type { BatchContext, ConsumedEvent, HandlerContext } from './handler.ts'

/** What handlers of one consumer have in common. */
export interface Lane {
  readonly name: string
  readonly log: Logger
  readonly timeoutMs: number
  /** The id of the replay that the lane belongs to. */
  readonly replay: string | null
  /** The data of a record, in the newest shape. */
  readonly read: (record: LogRecord) => unknown
}

/** An event for whoever looks at it. Made per event, so everything that can wait is a getter. */
export class Consumed implements ConsumedEvent {
  protected readonly record: LogRecord
  readonly #read: Lane['read']
  #data: unknown

  constructor(record: LogRecord, read: Lane['read']) {
    this.record = record
    this.#read = read
  }

  get data(): unknown {
    this.#data ??= this.#read(this.record)
    return this.#data
  }
  get id(): string {
    return this.record.id
  }
  get type(): string {
    return this.record.type
  }
  get version(): number {
    return this.record.version
  }
  get key(): string | null {
    return this.record.key
  }
  get position(): number {
    return this.record.position
  }
  get at(): Date {
    return new Date(this.record.at)
  }
}

/** Work that has a time limit and ends when the app stops. */
export interface TimedWork {
  readonly broken: Promise<never>
  endTime(reason: PlatformError): void
}

/** What the handler of one event gets. */
export class Context extends Consumed implements HandlerContext<unknown>, TimedWork {
  readonly #attempt: Attempt
  readonly #lane: Lane
  #ending: AbortController | undefined
  #signal: AbortSignal | undefined

  constructor(record: LogRecord, attempt: Attempt, lane: Lane) {
    super(record, lane.read)
    this.#attempt = attempt
    this.#lane = lane
  }

  get log(): Logger {
    return this.#lane.log
  }
  get replay(): string | null {
    return this.#lane.replay
  }
  get attempt(): number {
    return this.#attempt.number
  }
  get sql(): Sql {
    return this.#attempt.sql
  }
  get publish(): Publish {
    return this.#attempt.publishFrom(this.record)
  }
  get origin(): EventMeta {
    return causedBy(this.record)
  }
  get signal(): AbortSignal {
    this.#ending ??= new AbortController()
    this.#signal ??= AbortSignal.any([this.#attempt.signal, this.#ending.signal])
    return this.#signal
  }
  get broken(): Promise<never> {
    return this.#attempt.broken
  }

  endTime(reason: PlatformError): void {
    this.#ending ??= new AbortController()
    this.#ending.abort(reason)
  }
}

/** What the handler of a batch gets: the tools are those of its last event. */
export class Batch implements BatchContext<ConsumedEvent>, TimedWork {
  readonly events: readonly ConsumedEvent[]
  readonly #records: readonly LogRecord[]
  readonly #tools: Context
  #failure: HandlerFailure | undefined

  constructor(records: readonly [LogRecord, ...LogRecord[]], attempt: Attempt, lane: Lane) {
    this.#records = records
    this.events = records.map((record) => new Consumed(record, lane.read))
    this.#tools = new Context(records.at(-1) ?? records[0], attempt, lane)
  }

  /** What the handler said, whether or not it let the error out. */
  get failure(): HandlerFailure | undefined {
    return this.#failure
  }

  readonly fail = (event: ConsumedEvent, error: unknown): never => {
    const record = this.#records.find(({ position }) => position === event.position)
    if (record !== undefined) this.#failure ??= new HandlerFailure(record, error)
    throw error
  }

  get log(): Logger {
    return this.#tools.log
  }
  get replay(): string | null {
    return this.#tools.replay
  }
  get attempt(): number {
    return this.#tools.attempt
  }
  get sql(): Sql {
    return this.#tools.sql
  }
  get publish(): Publish {
    return this.#tools.publish
  }
  get origin(): EventMeta {
    return this.#tools.origin
  }
  get signal(): AbortSignal {
    return this.#tools.signal
  }
  get broken(): Promise<never> {
    return this.#tools.broken
  }

  endTime(reason: PlatformError): void {
    this.#tools.endTime(reason)
  }
}
