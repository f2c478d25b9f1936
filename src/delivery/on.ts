import type { Change } from '../events/change.ts'
import type { EventDefinition } from '../events/event.ts'
import type { Publish } from '../events/publish.ts'
import type { ChangeSource, TableDefinition } from '../events/table.ts'
import { type Backoff, backoffMs } from '../kernel/backoff.ts'
import { type Duration, durationMs } from '../kernel/duration.ts'
import { PlatformError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import { checkName } from '../kernel/names.ts'
import { resolveOptions } from '../kernel/options.ts'
import type { Sql } from '../store/sql.ts'

/** What a handler gets. */
export interface HandlerContext<D> {
  /** The event's data, or the change. */
  readonly data: D
  /** The event's id: the same on every attempt, so it serves as idempotency key towards outside systems. */
  readonly id: string
  readonly type: string
  readonly key: string | null
  /** Place in the log. */
  readonly position: number
  /** When the event was published. */
  readonly at: Date
  /** 1 on the first try. */
  readonly attempt: number
  /** The id of the replay in which the event is handled again; `null` in normal delivery. */
  readonly replay: string | null
  /** Runs in the transaction that also records the event as handled: these effects happen exactly once. */
  readonly sql: Sql
  /** Publishes in that same transaction, with this event as the cause. */
  readonly publish: Publish
  readonly log: Logger
  /** Aborts when the time is up or the app stops. */
  readonly signal: AbortSignal
}

export type Handler<D> = (context: HandlerContext<D>) => unknown

export interface OnOptions {
  /** Where a new consumer begins. `beginning` replays all that the log keeps. @default 'now' */
  start?: 'now' | 'beginning'
  /** Handlers at work at once, of different keys. Their `sql` is one shared transaction. @default 1 */
  concurrency?: number
  /** Time for one event, at most 24 days. @default '30s' */
  timeout?: Duration
  /** Failed tries before an event becomes a dead letter. @default 8 */
  attempts?: number
  /** Waits between tries; events of other keys go on meanwhile. @default from 200 ms, doubling, to 5 min */
  backoff?: Backoff
}

export interface ResolvedOnOptions {
  readonly start: 'now' | 'beginning'
  readonly concurrency: number
  readonly timeoutMs: number
  readonly attempts: number
  readonly backoff: Backoff
}

/** A durable consumer: events of one key in order, keys independently of each other. */
export interface ConsumerDefinition {
  readonly kind: 'consumer'
  readonly name: string
  readonly source: EventDefinition | ChangeSource<unknown>
  readonly options: ResolvedOnOptions
  readonly handler: Handler<unknown>
}

type Source<D> = EventDefinition<D> | TableDefinition<D> | ChangeSource<D>
type DataOf<S> =
  S extends EventDefinition<infer D>
    ? D
    : S extends TableDefinition<infer R>
      ? Change<R>
      : S extends ChangeSource<infer R>
        ? Change<R>
        : never

/**
 * Follows an event, a table or some of its changes.
 * @param name durable: it keeps the place in the log across restarts and versions of the code
 */
export function on<S extends Source<unknown>>(name: string, source: S, handler: Handler<DataOf<S>>): ConsumerDefinition
export function on<S extends Source<unknown>>(
  name: string,
  source: S,
  options: OnOptions,
  handler: Handler<DataOf<S>>,
): ConsumerDefinition
export function on(
  name: string,
  source: Source<unknown>,
  ...rest: [Handler<never>] | [OnOptions, Handler<never>]
): ConsumerDefinition {
  checkName('consumer', name)
  const [options, handler] = rest.length === 1 ? [{}, rest[0]] : rest
  const resolved = resolveOptions(`on("${name}")`, defaults, options)
  checkOptions(name, resolved)
  return {
    kind: 'consumer',
    name,
    source:
      source.kind === 'table'
        ? { kind: 'changes', table: source as TableDefinition<unknown>, columns: [] }
        : (source as EventDefinition | ChangeSource<unknown>),
    options: { ...resolved, timeoutMs: durationMs(resolved.timeout) },
    handler: handler as Handler<unknown>,
  }
}

const defaults: Required<OnOptions> = { start: 'now', concurrency: 1, timeout: '30s', attempts: 8, backoff: {} }

/** Longest time that a timer of Node can wait; a longer one would end at once. */
const longestMs = 2 ** 31 - 1

function checkOptions(name: string, { concurrency, attempts, timeout, backoff }: Required<OnOptions>): void {
  const refuse = (option: string, must: string): never => {
    throw new PlatformError('OPTION_INVALID', `on("${name}"): ${option} must be ${must}`)
  }
  if (!Number.isInteger(concurrency) || concurrency < 1) refuse('concurrency', 'a whole number from 1')
  if (!Number.isInteger(attempts) || attempts < 1) refuse('attempts', 'a whole number from 1')
  const timeoutMs = durationMs(timeout)
  if (timeoutMs === 0 || timeoutMs > longestMs) refuse('timeout', 'more than 0 and at most 24 days')
  if (backoff.factor !== undefined && !(backoff.factor >= 1)) refuse('backoff.factor', 'a number from 1')
  backoffMs(1, backoff) // throws on what is no duration
}

/** The type that a consumer's events have in the log. */
export function typeOf(source: EventDefinition | ChangeSource<unknown>): string {
  return source.kind === 'event' ? source.name : source.table.changeType
}
