import { type CompiledFilter, compileFilter, type Filter } from '../events/filter.ts'
import { type Duration, durationMs } from '../kernel/duration.ts'
import { PlatformError } from '../kernel/errors.ts'
import { resolveOptions } from '../kernel/options.ts'
import { perSecond, type Rate } from '../kernel/rate.ts'
import type { ConsumedEvent, ContextOf, EventOf, Fallback } from './handler.ts'
import { type RetryBackoff, type RetryPolicy, waitOf } from './retry-policy.ts'
import type { DataOf } from './source.ts'

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

/** The options of a consumer, checked and with their defaults. */
export interface ResolvedOnOptions extends RetryPolicy {
  readonly start: Exclude<Start, { time: unknown }> | { readonly time: Date }
  readonly eachNode: boolean
  readonly filter: CompiledFilter | undefined
  /** A filter that only this process can evaluate. */
  readonly choose: ((event: ConsumedEvent) => boolean) | undefined
  readonly concurrency: number
  /** Events per second. */
  readonly rate: number | undefined
  readonly timeoutMs: number
  readonly onFailure: OnFailure
  readonly fallback: Fallback | undefined
  readonly batch: { readonly size: number; readonly maxWaitMs: number } | undefined
}

type Given = Required<Omit<OnOptions, 'each' | 'where' | 'rate' | 'maxAge' | 'fallback'>> & {
  [K in 'each' | 'where' | 'rate' | 'maxAge' | 'fallback']: OnOptions[K] | undefined
}

const defaults: Given = {
  start: 'now',
  each: undefined,
  where: undefined,
  concurrency: 1,
  rate: undefined,
  timeout: '30s',
  onFailure: 'pause-key',
  attempts: 8,
  backoff: {},
  maxAge: undefined,
  fallback: undefined,
}

export function resolveOnOptions(name: string, options: OnOptions): ResolvedOnOptions {
  const where = `on("${name}")`
  if (options.each === 'node') refuseTogether(where, options)
  return check(where, resolveOptions(where, defaults, options) as Given, undefined)
}

export function resolveBatchOptions(name: string, options: BatchOptions): ResolvedOnOptions {
  const where = `on.batch("${name}")`
  if (options.each === 'node') refuseTogether(where, options)
  const { concurrency: _, ...known } = defaults
  const { size, maxWait, ...rest } = resolveOptions(where, { ...known, size: 100, maxWait: 0 }, options) as Given &
    Required<Pick<BatchOptions, 'size' | 'maxWait'>>
  if (!Number.isInteger(size) || size < 1 || size > 10_000) refuse(where, 'size', 'a whole number from 1 to 10000')
  const maxWaitMs = durationMs(maxWait)
  if (maxWaitMs > 60_000) refuse(where, 'maxWait', 'at most 1 minute')
  return check(where, { ...rest, concurrency: 1 }, { size, maxWaitMs })
}

/** Longest time that a timer of Node can wait; a longer one would end at once. */
const longestMs = 2 ** 31 - 1

function check(where: string, given: Given, batch: ResolvedOnOptions['batch']): ResolvedOnOptions {
  const { concurrency, attempts, timeout, backoff, maxAge, rate, each, onFailure } = given
  if (!Number.isInteger(concurrency) || concurrency < 1) refuse(where, 'concurrency', 'a whole number from 1')
  if (!Number.isInteger(attempts) || attempts < 1) refuse(where, 'attempts', 'a whole number from 1')
  const timeoutMs = durationMs(timeout)
  if (timeoutMs === 0 || timeoutMs > longestMs) refuse(where, 'timeout', 'more than 0 and at most 24 days')
  if (typeof backoff === 'object' && 'factor' in backoff && !((backoff.factor ?? 1) >= 1))
    refuse(where, 'backoff.factor', 'a number from 1')
  waitOf(backoff, 1) // throws on what is no duration
  if (each !== undefined && each !== 'node') refuse(where, 'each', "'node', or left out")
  if (!['pause-key', 'dead-letter', 'stop'].includes(onFailure))
    refuse(where, 'onFailure', "'pause-key', 'dead-letter' or 'stop'")
  return Object.freeze({
    start: startOf(where, given.start),
    eachNode: each === 'node',
    filter: typeof given.where === 'object' ? compileFilter(`${where}.where`, given.where as Filter<never>) : undefined,
    choose: typeof given.where === 'function' ? (given.where as (event: ConsumedEvent) => boolean) : undefined,
    concurrency,
    rate: rate === undefined ? undefined : perSecond(rate),
    timeoutMs,
    onFailure,
    attempts,
    backoff,
    maxAgeMs: maxAge === undefined ? Number.POSITIVE_INFINITY : durationMs(maxAge),
    fallback: given.fallback as Fallback | undefined,
    batch,
  })
}

function startOf(where: string, start: Start): ResolvedOnOptions['start'] {
  if (start === 'now' || start === 'beginning') return start
  if (typeof start === 'object' && start !== null && 'position' in start) {
    if (!Number.isSafeInteger(start.position) || start.position < 1)
      refuse(where, 'start.position', 'a whole number from 1')
    return start
  }
  const time = new Date(typeof start === 'object' && start !== null && 'time' in start ? start.time : Number.NaN)
  if (Number.isNaN(time.getTime())) refuse(where, 'start', "'now', 'beginning', { position } or { time }")
  return { time }
}

/** What makes no sense without a place of its own in the log. */
function refuseTogether(where: string, options: OnOptions): void {
  const wrong = (['start', 'concurrency', 'onFailure', 'fallback'] as const).find((name) => options[name] !== undefined)
  if (wrong !== undefined) refuse(where, wrong, "left out with each: 'node'")
}

function refuse(where: string, option: string, must: string): never {
  throw new PlatformError('OPTION_INVALID', `${where}: ${option} must be ${must}`)
}
