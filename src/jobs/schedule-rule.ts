import { Cron } from 'croner'
import { type Duration, durationMs } from '../kernel/duration.ts'
import { messageOf, PlatformError } from '../kernel/errors.ts'

/** When a schedule is due: a cron pattern in a time zone, or a period counted from `anchorMs`. */
export type ScheduleRule =
  | { readonly kind: 'cron'; readonly cron: string; readonly timeZone: string }
  | { readonly kind: 'every'; readonly everyMs: number }

/** `'0 9 * * 1-5'`, or `{ every: '5m' }`. */
export type When = string | { readonly every: Duration }

const shortestMs = 1000

/** @throws OPTION_INVALID */
export function scheduleRule(where: string, when: When, timeZone: string): ScheduleRule {
  if (typeof when !== 'string') {
    const everyMs = durationMs(when.every)
    if (everyMs >= shortestMs) return { kind: 'every', everyMs }
    throw new PlatformError('OPTION_INVALID', `${where}: every must be at least a second`)
  }
  try {
    const first = new Cron(when, { timezone: timeZone }).nextRun()
    if (first === null) throw new Error('it never comes')
  } catch (cause) {
    throw new PlatformError(
      'OPTION_INVALID',
      `${where}: "${when}" in "${timeZone}" cannot be used: ${messageOf(cause)}`,
      {
        cause,
        hint: "Write minute, hour, day, month, weekday, such as '0 9 * * 1-5', and a time zone such as 'Europe/Berlin'.",
      },
    )
  }
  return { kind: 'cron', cron: when, timeZone }
}

/**
 * The first due time after `afterMs`, `undefined` when there is none. A time that the clocks leave out comes at the first
 * moment after the gap; a time that they show twice comes the first time. A pattern with `*` as its hour or minute goes
 * on in real time through both.
 */
export function nextDue(rule: ScheduleRule, anchorMs: number, afterMs: number): number | undefined {
  if (rule.kind === 'cron')
    return new Cron(rule.cron, { timezone: rule.timeZone }).nextRun(new Date(afterMs))?.getTime()
  return anchorMs + (Math.max(0, Math.floor((afterMs - anchorMs) / rule.everyMs)) + 1) * rule.everyMs
}

/** Up to `most` due times from `firstMs`, which is one, to `nowMs`. */
export function duesUntil(
  rule: ScheduleRule,
  anchorMs: number,
  span: { firstMs: number; nowMs: number; most: number },
): number[] {
  const dues: number[] = []
  let due: number | undefined = span.firstMs
  while (due !== undefined && due <= span.nowMs && dues.length < span.most) {
    dues.push(due)
    due = nextDue(rule, anchorMs, due)
  }
  return dues
}

/** The last due time until `nowMs`. */
export function lastDue(rule: ScheduleRule, anchorMs: number, nowMs: number): number | undefined {
  if (rule.kind === 'every') return anchorMs + Math.floor((nowMs - anchorMs) / rule.everyMs) * rule.everyMs
  // The time given is not part of the answer.
  return new Cron(rule.cron, { timezone: rule.timeZone }).previousRuns(1, new Date(nowMs + 1))[0]?.getTime()
}
