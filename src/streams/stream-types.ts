import type { EventDefinition } from '../events/event.ts'
import type { EventMeta } from '../events/record.ts'
import type { Queryable, Sql } from '../store/sql.ts'
import type { Expected } from './expected.ts'
import type { StreamAppend } from './stream-append.ts'

/** The events of a stream by the names under which its code knows them. */
export type StreamEvents = Readonly<Record<string, EventDefinition>>

type DataOf<E> = E extends EventDefinition<infer D> ? D : never

/** What is appended: `{ type: 'deposited', data: { amount: 5 } }`. */
export type NewEvent<E extends StreamEvents> = {
  [K in keyof E & string]: { readonly type: K; readonly data: DataOf<E[K]> }
}[keyof E & string]

/** What is read: an event with its place in the stream. */
export type StreamEvent<E extends StreamEvents> = NewEvent<E> & {
  readonly id: string
  /** 1 for the first of the stream. */
  readonly revision: number
  readonly at: Date
  readonly meta: EventMeta
}

/** The transaction to append in: a handler's or route's context, what `transaction` gives, or a client of one's own. */
export type Within = { readonly sql: Sql; readonly origin?: EventMeta } | { readonly client: Queryable }

export interface AppendOptions extends EventMeta {
  /** What the stream must be like; else STREAM_CONFLICT and nothing is written. @default 'any' */
  expect?: Expected
  /** Appends exactly if this transaction commits. @default a transaction of its own */
  within?: Within
}

export interface StreamOptions<E extends StreamEvents, S> {
  events: E
  /** The state of a stream without events. */
  initial: () => S
  /** The state after an event. Must be a plain function of its arguments: it runs again at each load. */
  evolve: (state: S, event: StreamEvent<E>) => S
  /**
   * Keep the state every so many events, so that a load reads only those after it. The state must survive JSON. Raise
   * `version` when `initial` or `evolve` change what they compute: older ones are then not used. @default none
   */
  snapshot?: { every: number; version: number }
  /**
   * An inline projection: runs in the transaction of each append, after it; if it throws, nothing was appended. Appends to
   * such a stream commit one by one.
   */
  inline?: (context: { id: string; events: readonly StreamEvent<E>[]; sql: Sql }) => Promise<unknown>
}

/** A stream's state, and the revision it is the state of (0: no events). */
export interface Loaded<S> {
  readonly state: S
  readonly revision: number
}

/** What the running part needs to know of streams of one kind. */
export interface StreamKind {
  readonly name: string
  readonly events: StreamEvents
  readonly options: Omit<StreamOptions<StreamEvents, unknown>, 'events'>
}

/** Who can make appends together: the streams of one running app. */
export interface StreamAppender {
  appendAll(appends: readonly PendingAppend[], within?: Within): Promise<number[]>
}

/** One of the appends that `appendAll` makes together. */
export interface PendingAppend {
  readonly stream: StreamKind
  readonly by: StreamAppender
  readonly id: string
  readonly append: StreamAppend
}
