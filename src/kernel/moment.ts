import { type Duration, durationMs } from './duration.ts'
import { PlatformError } from './errors.ts'

/** A point in time: a `Date`, ISO 8601 text with an offset (RFC 3339), or a `Duration` from now. */
export type Moment = Date | Duration

const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/

/** Longer than anybody waits: a number beyond it is a point in time that was meant, not a duration. */
const longestMs = 20 * 365.25 * 86_400_000

/**
 * The point in time, in milliseconds since the Unix epoch.
 * @throws OPTION_INVALID
 */
export function momentMs(moment: Moment, nowMs: number): number {
  const at = moment instanceof Date ? moment.getTime() : isoMs(moment)
  if (at !== undefined && Number.isFinite(at)) return at
  const wait = at === undefined ? durationMs(moment as Duration) : Number.NaN
  if (wait <= longestMs) return nowMs + wait
  throw new PlatformError('OPTION_INVALID', `"${String(moment)}" is no point in time`, {
    hint: "Give a Date, ISO 8601 text with an offset, or a duration from now such as '10m'.",
  })
}

function isoMs(text: Moment): number | undefined {
  return typeof text === 'string' && iso.test(text) ? Date.parse(text) : undefined
}
