import type { HandlerContext } from '../delivery/handler.ts'
import type { ConsumerDefinition } from '../delivery/on.ts'
import { on } from '../delivery/on.ts'
import type { OnOptions } from '../delivery/on-options.ts'
import { event } from '../events/event.ts'
import { PlatformError } from '../kernel/errors.ts'
import { checkName } from '../kernel/names.ts'
import { resolveOptions } from '../kernel/options.ts'
import { t } from '../kernel/schema.ts'
import { type ScheduleRule, scheduleRule, type When } from './schedule-rule.ts'

/** One firing of a schedule. */
export interface ScheduleRun {
  /** When it was due, ISO 8601. */
  readonly due: string
  /** Due times before it that were missed and do not come on their own. */
  readonly missed: number
  /** Set off by hand. */
  readonly manual: boolean
}

/**
 * What happens with due times that passed while no process ran.
 * - `'once'`: one run for all of them.
 * - `'skip'`: none.
 * - `'all'`: each gets its run, in order.
 */
export type Missed = 'skip' | 'once' | 'all'

export interface ScheduleOptions extends Pick<OnOptions, 'attempts' | 'backoff' | 'timeout'> {
  /** IANA name of the zone that a cron pattern means. @default 'UTC' */
  timeZone?: string
  /** @default 'once' */
  missed?: Missed
}

/** Something to be done at certain times, once per due time across the fleet. */
export interface ScheduleDefinition {
  readonly kind: 'schedule'
  readonly name: string
  readonly rule: ScheduleRule
  readonly missed: Missed
  /** What handles its firings: each is an event in the log, so retries and dead letters are those of any other. */
  readonly consumer: ConsumerDefinition
}

type ScheduleHandler = (context: HandlerContext<ScheduleRun>) => unknown

/** The type of a schedule's firings in the log, and the name of the consumer that handles them. */
export const scheduleType = (name: string): string => `schedule:${name}`

/**
 * Declares a schedule. A run that takes longer than the time between two, or is tried again, holds up the next: they never
 * overlap.
 * @param name durable
 * @param when a cron pattern such as `'0 9 * * 1-5'` (minute, hour, day, month, weekday; with six fields the first is the
 * second), or `{ every: '5m' }`, counted from when the schedule was first known
 * @example schedule('report', '0 9 * * 1-5', { timeZone: 'Europe/Berlin' }, ({ data }) => report(data.due))
 */
export function schedule(name: string, when: When, handler: ScheduleHandler): ScheduleDefinition
export function schedule(
  name: string,
  when: When,
  options: ScheduleOptions,
  handler: ScheduleHandler,
): ScheduleDefinition
export function schedule(
  name: string,
  when: When,
  ...rest: [ScheduleHandler] | [ScheduleOptions, ScheduleHandler]
): ScheduleDefinition {
  checkName('schedule', name)
  const [given, handler] = rest.length === 1 ? [{}, rest[0]] : rest
  const where = `schedule("${name}")`
  const { timeZone, missed, ...options } = resolveOptions(where, defaults, given)
  if (!['skip', 'once', 'all'].includes(missed))
    throw new PlatformError('OPTION_INVALID', `${where}: missed must be 'skip', 'once' or 'all'`)
  const set = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  return {
    kind: 'schedule',
    name,
    rule: scheduleRule(where, when, timeZone),
    missed,
    consumer: { ...on(name, firingOf(name), set, handler), name: scheduleType(name) },
  }
}

const defaults = {
  timeZone: 'UTC',
  missed: 'once' as Missed,
  attempts: undefined as ScheduleOptions['attempts'],
  backoff: undefined as ScheduleOptions['backoff'],
  timeout: undefined as ScheduleOptions['timeout'],
}

/** All firings of a schedule have one key, so that they come one after another. */
const firingOf = (name: string): ReturnType<typeof declared> => ({ ...declared(name), name: scheduleType(name) })
const declared = (name: string) =>
  event(name, { due: t.timestamp(), missed: t.int(), manual: t.boolean() }, { key: () => name })
