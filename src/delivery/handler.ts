import type { Publish } from '../events/publish.ts'
import type { EventMeta } from '../events/record.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Sql } from '../store/sql.ts'
import type { DataOf, TypeOf } from './source.ts'

/** An event as a consumer sees it. */
export interface ConsumedEvent<D = unknown, T extends string = string> {
  /** The event's data, or the change. */
  readonly data: D
  /** The event's id: the same on every attempt, so it serves as idempotency key towards outside systems. */
  readonly id: string
  readonly type: T
  /** Of the event as it is stored; `data` is in the newest shape whatever it says. */
  readonly version: number
  readonly key: string | null
  /** Place in the log. */
  readonly position: number
  /** When the event was published. */
  readonly at: Date
}

/** What a handler works with. */
export interface HandlerTools {
  /** 1 on the first try. */
  readonly attempt: number
  /** The id of the replay in which the event is handled again; `null` in normal delivery. */
  readonly replay: string | null
  /** Runs in the transaction that also records the event as handled: these effects happen exactly once. */
  readonly sql: Sql
  /** Publishes in that same transaction, with this event (the last of a batch) as the cause. */
  readonly publish: Publish
  /** What `publish` hands on, for what does not go through it: `account.append(id, events, { within: context })`. */
  readonly origin: EventMeta
  readonly log: Logger
  /** Aborts when the time is up or the app stops. */
  readonly signal: AbortSignal
}

/** What a handler gets. */
export interface HandlerContext<D, T extends string = string> extends ConsumedEvent<D, T>, HandlerTools {}

/** What the handler of a batch gets. */
export interface BatchContext<E extends ConsumedEvent> extends HandlerTools {
  /** In the order of the log. */
  readonly events: readonly E[]
  /**
   * Says which event is to blame, and throws. Everything the batch did is taken back; this event fails as it would alone;
   * the others are handled again without it.
   */
  fail(event: E, error: unknown): never
}

export type Handler<D> = (context: HandlerContext<D>) => unknown
export type BatchHandler = (context: BatchContext<ConsumedEvent>) => unknown
export type Fallback = (context: HandlerContext<never>, error: unknown) => unknown

/** What the handler of a source gets. */
export type ContextOf<S> = S extends unknown ? HandlerContext<DataOf<S>, TypeOf<S>> : never
/** An event of a source. */
export type EventOf<S> = S extends unknown ? ConsumedEvent<DataOf<S>, TypeOf<S>> : never
