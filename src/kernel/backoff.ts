import { type Duration, durationMs } from './duration.ts'

/** How long to wait before attempt n + 1. */
export interface Backoff {
  /** Wait after the first failure. @default '200ms' */
  first?: Duration
  /** The longest wait. @default '5m' */
  max?: Duration
  /** Growth per attempt. @default 2 */
  factor?: number
}

/**
 * Exponential backoff with jitter over the upper half of the step: spreads a herd without ever retrying at once.
 * @param attempt failures so far, from 1
 * @param random in [0, 1)
 */
export function backoffMs(attempt: number, backoff: Backoff = {}, random: number = Math.random()): number {
  const first = durationMs(backoff.first ?? 200)
  const max = durationMs(backoff.max ?? '5m')
  const step = Math.min(max, first * (backoff.factor ?? 2) ** Math.max(0, attempt - 1))
  return Math.round(step / 2 + (random * step) / 2)
}
