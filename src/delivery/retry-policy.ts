import { type Backoff, backoffMs } from '../kernel/backoff.ts'
import { type Duration, durationMs } from '../kernel/duration.ts'
import { PlatformError } from '../kernel/errors.ts'

/** Waits between tries: none, always the same, or growing with jitter. */
export type RetryBackoff = 'immediate' | { every: Duration } | Backoff

/** When a failed event is tried again. */
export interface RetryPolicy {
  readonly attempts: number
  readonly backoff: RetryBackoff
  /** An event older than this is not tried again. */
  readonly maxAgeMs: number
}

/** The newer code that an event waits for may come at any time, and after any number of tries. */
const deploymentMs = 5000

/** How long an event waits for its next try, `null` when it has had its last. */
export function nextWaitMs(
  { attempts, backoff, maxAgeMs }: RetryPolicy,
  failed: { attempt: number; ageMs: number; error: unknown },
): number | null {
  const isAwaited = failed.error instanceof PlatformError && failed.error.code === 'EVENT_NEWER'
  if ((failed.attempt >= attempts && !isAwaited) || !isRetryable(failed.error)) return null
  const waitMs = isAwaited ? Math.min(waitOf(backoff, failed.attempt), deploymentMs) : waitOf(backoff, failed.attempt)
  return failed.ageMs + waitMs > maxAgeMs ? null : waitMs
}

/** @throws OPTION_INVALID on what is no duration */
export function waitOf(backoff: RetryBackoff, attempt: number): number {
  if (backoff === 'immediate') return 0
  return 'every' in backoff ? durationMs(backoff.every) : backoffMs(attempt, backoff)
}

/** Any error may say that trying again makes no sense: `retryable: false`. */
export function isRetryable(error: unknown): boolean {
  return typeof error !== 'object' || error === null || Reflect.get(error, 'retryable') !== false
}
