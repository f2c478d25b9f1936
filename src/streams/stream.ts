import type { EventDefinition } from '../events/event.ts'
import type { EventMeta } from '../events/record.ts'
import { Binding } from '../kernel/binding.ts'
import { PlatformError } from '../kernel/errors.ts'
import { checkName } from '../kernel/names.ts'
import { resolveOptions } from '../kernel/options.ts'
import type { Queryable, Sql } from '../store/sql.ts'
import type { Expected } from './expected.ts'
import type { ReadStreamOptions } from './read-stream.ts'
import type { GivenEvent, StreamAppend } from './stream-append.ts'
import type { StreamRuntime } from './stream-runtime.ts'

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

/** Streams of one kind, one for each id: events in order whose sum is a state. */
export interface StreamDefinition<E extends StreamEvents = StreamEvents, S = unknown> {
  readonly kind: 'stream'
  readonly name: string
  readonly events: E
  readonly options: StreamOptions<E, S>
  readonly binding: Binding<StreamRuntime>
  /**
   * Appends events; returns the stream's revision after them.
   * @throws STREAM_CONFLICT, INPUT_INVALID
   */
  append(id: string, events: readonly NewEvent<E>[], options?: AppendOptions): Promise<number>
  /** Events of a stream, in order. */
  read(id: string, options?: ReadStreamOptions): Promise<StreamEvent<E>[]>
  /** The state of a stream: now, at a revision or at a time. */
  load(id: string, options?: { asOf?: Date | number }): Promise<Loaded<S>>
  /**
   * Loads, decides and appends, expecting that nobody appended in between; on a conflict all of it again, at most
   * `attempts` times (default 10), with a short random wait. No events: nothing is appended. Returns state and revision
   * after it. With `within` there is one try: the transaction is the caller's to repeat.
   * @throws STREAM_CONFLICT after the last try
   */
  update(
    id: string,
    decide: (state: S, revision: number) => readonly NewEvent<E>[] | Promise<readonly NewEvent<E>[]>,
    options?: Omit<AppendOptions, 'expect'> & { attempts?: number },
  ): Promise<Loaded<S>>
  /** An append for `appendAll`. */
  pending(id: string, events: readonly NewEvent<E>[], options?: Omit<AppendOptions, 'within'>): PendingAppend
}

/** One of the appends that `appendAll` makes together. */
export interface PendingAppend {
  readonly stream: StreamDefinition<never, never>
  readonly id: string
  readonly append: StreamAppend
}

/**
 * Declares event-sourced streams.
 * @param name what kind of thing a stream is, such as `'account'`; a stream is `account:<id>`, and that is the key of its events
 */
export function stream<const E extends StreamEvents, S>(
  name: string,
  given: StreamOptions<E, S>,
): StreamDefinition<E, S> {
  checkName('stream', name)
  const options = resolveOptions(`stream("${name}")`, defaults, given) as unknown as StreamOptions<E, S>
  if (Object.keys(options.events).length === 0)
    throw new PlatformError('OPTION_INVALID', `stream("${name}"): events names none`)
  const { snapshot } = options
  if (snapshot !== undefined && !(Number.isSafeInteger(snapshot.every) && snapshot.every > 0))
    throw new PlatformError('OPTION_INVALID', `stream("${name}"): snapshot.every must be a whole number from 1`)
  const binding = new Binding<StreamRuntime>(`stream "${name}"`)
  const definition: StreamDefinition<E, S> = {
    kind: 'stream',
    name,
    events: options.events,
    options,
    binding,
    append: (id, events, terms) => binding.current.append(definition as never, id, events as never, terms),
    read: async (id, terms) => (await binding.current.read(definition as never, id, terms)) as StreamEvent<E>[],
    load: async (id, terms) => (await binding.current.load(definition as never, id, terms)) as Loaded<S>,
    update: async (id, decide, terms) =>
      (await binding.current.update(definition as never, id, decide as never, terms)) as Loaded<S>,
    pending: (id, events, terms) =>
      binding.current.pending(definition as never, id, events as readonly GivenEvent[], terms),
  }
  return definition
}

const defaults = {
  events: {} as StreamEvents,
  initial: undefined as unknown,
  evolve: undefined as unknown,
  snapshot: undefined as { every: number; version: number } | undefined,
  inline: undefined as unknown,
}

/**
 * Appends to several streams: all of them, or none if the expectation of one does not hold. Returns the revisions.
 * @throws STREAM_CONFLICT, OPTION_INVALID when a stream stands there twice
 */
export async function appendAll(
  appends: readonly PendingAppend[],
  options: { within?: Within } = {},
): Promise<number[]> {
  const [first] = appends
  if (first === undefined) return []
  return first.stream.binding.current.appendAll(appends, options.within)
}
