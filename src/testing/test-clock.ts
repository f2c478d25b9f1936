import type { Clock } from '../kernel/clock.ts'
import { type Duration, durationMs } from '../kernel/duration.ts'

interface Sleeper {
  until: number
  wake: () => void
}

/** A clock that moves only when told, for retries and expiry. Work of the platform itself keeps real time. */
export interface TestClock extends Clock {
  /** Moves the time and wakes whoever slept until then. */
  advance(by: Duration): void
}

export function testClock(start: Date = new Date()): TestClock {
  let now = start.getTime()
  let sleepers: Sleeper[] = []
  const listeners = new Set<() => void>()
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve()
        const sleeper = { until: now + ms, wake: resolve }
        sleepers.push(sleeper)
        signal?.addEventListener('abort', () => resolve(), { once: true })
      }),
    onMove(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    advance(by) {
      now += durationMs(by)
      const due = sleepers.filter(({ until }) => until <= now)
      sleepers = sleepers.filter(({ until }) => until > now)
      for (const { wake } of due) wake()
      for (const listener of listeners) listener()
    },
  }
}
