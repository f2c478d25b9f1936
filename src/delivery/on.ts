import type { Filter } from '../events/filter.ts'
import type { Publish } from '../events/publish.ts'
import type { EventMeta } from '../events/record.ts'
import type { Duration } from '../kernel/duration.ts'
import type { Logger } from '../kernel/logger.ts'
import { checkName } from '../kernel/names.ts'
import type { Rate } from '../kernel/rate.ts'
import type { Sql } from '../store/sql.ts'
import { type ResolvedOnOptions, resolveBatchOptions, resolveOnOptions } from './on-options.ts'
import type { RetryBackoff } from './retry-policy.ts'
import { type DataOf, type EachOf, type FollowedSource, followed, type Sources, type TypeOf } from './source.ts'

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

type ContextOf<S> = S extends unknown ? HandlerContext<DataOf<S>, TypeOf<S>> : never
type EventOf<S> = S extends unknown ? ConsumedEvent<DataOf<S>, TypeOf<S>> : never

/** Where a new consumer begins; one that is known goes on from its place. */
export type Start = 'now' | 'beginning' | { readonly position: number } | { readonly time: Date | string }

/**
 * What happens when an event fails.
 * - `'pause-key'`: while it waits for its next try, later events of its key wait behind it. After its last try it is a
 *   dead letter and its key goes on.
 * - `'dead-letter'`: its key goes on at once, while it is tried again and when it is a dead letter: for consumers to whom
 *   the order within a key does not matter.
 * - `'stop'`: as `'pause-key'`, but after its last try the whole consumer pauses, in all processes, and says why. Resumed,
 *   it tries the event again.
 */
export type OnFailure = 'pause-key' | 'dead-letter' | 'stop'

export interface OnOptions<S = never> {
  /**
   * Where a new consumer begins. `'beginning'` replays all that the log keeps; a position is that of the first event; with
   * a time it begins with what came into the log then. @default 'now'
   */
  start?: Start
  /**
   * `'node'`: every process handles every event, for what each keeps in memory. It begins anew with every start of the
   * process, at the head of the log; it keeps no place, so nothing is repeated and what fails to the last is logged and
   * passed over. `start`, `concurrency`, `onFailure` and `fallback` do not go with it. @default one process of the fleet handles each
   */
  each?: 'node'
  /**
   * Only these events: a filter by key, source, subject and data, or a function. A filter is evaluated in Postgres when the
   * consumer reads what lies behind, and sees the data as stored, before upcasting; a function always in this process.
   * A function that throws fails the event.
   */
  where?: Filter<DataOf<S>> | ((event: EventOf<S>) => boolean)
  /** Handlers at work at once, of different keys. Their `sql` is one shared transaction. @default 1 */
  concurrency?: number
  /**
   * At most so many events in a time, over the whole fleet. Each process has the part of its slots, so that one with half
   * the slots handles half; up to one second's worth may come at once. @default no limit
   */
  rate?: Rate
  /** Time for one event, at most 24 days. @default '30s' */
  timeout?: Duration
  /** @default 'pause-key' */
  onFailure?: OnFailure
  /**
   * Failed tries before an event is given up. An error with `retryable: false` is the last at once, and so is a
   * `PlatformError` whose code says so. @default 8
   */
  attempts?: number
  /**
   * Waits between tries; events of other keys go on meanwhile. `'immediate'`, `{ every: '10s' }`, or growing:
   * `{ first, factor, max }`, each wait between half of it and all of it. @default from 200 ms, doubling, to 5 min
   */
  backoff?: RetryBackoff
  /** An event that was published longer ago is not tried again. @default no limit */
  maxAge?: Duration
  /**
   * Called when an event is given up, in a transaction of its own. If it returns, the event counts as handled, with the
   * outcome `fallback`; if it throws, the event fails to the last as without it.
   */
  fallback?: (context: ContextOf<S>, error: unknown) => unknown
}

export interface BatchOptions<S = never> extends Omit<OnOptions<S>, 'concurrency'> {
  /** Most events at once. @default 100 */
  size?: number
  /** How long to wait for a full batch, at most 1 minute. @default 0: whatever is there */
  maxWait?: Duration
}

/** A durable consumer: events of one key in order, keys independently of each other. */
export interface ConsumerDefinition {
  readonly kind: 'consumer'
  readonly name: string
  readonly sources: readonly FollowedSource[]
  readonly options: ResolvedOnOptions
  readonly handler: Handler<unknown> | BatchHandler
}

type On = {
  <const S extends Sources>(
    name: string,
    source: S,
    handler: (context: ContextOf<EachOf<S>>) => unknown,
  ): ConsumerDefinition
  <const S extends Sources>(
    name: string,
    source: S,
    options: OnOptions<EachOf<S>>,
    handler: (context: ContextOf<EachOf<S>>) => unknown,
  ): ConsumerDefinition
  /**
   * As `on`, with many events in one call: for bulk statements and bulk requests. A batch is one transaction. When the
   * handler blames an event with `fail`, only that one fails; when it throws, the batch is halved until the guilty one is
   * alone. An event that is tried again comes alone.
   */
  batch<const S extends Sources>(
    name: string,
    source: S,
    options: BatchOptions<EachOf<S>>,
    handler: (context: BatchContext<EventOf<EachOf<S>>>) => unknown,
  ): ConsumerDefinition
}

/**
 * Follows an event, a table or some of its changes, several of them, or all that match a pattern.
 * @param name durable: it keeps the place in the log across restarts and versions of the code
 * @throws OPTION_INVALID, OPTION_UNKNOWN, NAME_INVALID
 */
export const on: On = Object.assign(
  (name: string, source: Sources, ...rest: readonly unknown[]): ConsumerDefinition => {
    const [options, handler] = rest.length === 1 ? [{}, rest[0]] : rest
    return declare(name, source, resolveOnOptions(name, options as OnOptions), handler as Handler<unknown>)
  },
  {
    batch: (name: string, source: Sources, options: BatchOptions<never>, handler: unknown): ConsumerDefinition =>
      declare(name, source, resolveBatchOptions(name, options), handler as BatchHandler),
  },
)

function declare(
  name: string,
  source: Sources,
  options: ResolvedOnOptions,
  handler: ConsumerDefinition['handler'],
): ConsumerDefinition {
  checkName('consumer', name)
  return { kind: 'consumer', name, sources: followed(`on("${name}")`, source), options, handler }
}
