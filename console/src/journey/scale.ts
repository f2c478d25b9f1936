import type { Hop } from '../contract.ts'

/** When a hop worked, on the clock of its journey. Without `tookMs` only its end is known. */
export interface Span {
  startMs: number
  endMs: number
}

export function spanOf(hop: Hop): Span {
  return { startMs: Math.max(0, hop.sinceStartMs - (hop.tookMs ?? 0)), endMs: hop.sinceStartMs }
}

/** Followers begin where the log has the event: at the end of the last stop that is not a follower. */
export function loggedAtMs(hops: readonly Hop[]): number {
  return Math.max(0, ...hops.filter((hop) => !isFollower(hop)).map((hop) => hop.sinceStartMs))
}

/** When a stop could have begun: a follower once the log had the event, any other after the stop before it. */
export function waitsSinceMs(hops: readonly Hop[], index: number): number {
  const hop = hops[index]
  if (hop && isFollower(hop)) return loggedAtMs(hops)
  return hops.slice(0, index).findLast((before) => !isFollower(before))?.sinceStartMs ?? 0
}

export function isFollower({ kind }: Hop): boolean {
  return kind === 'consumer' || kind === 'cache' || kind === 'index'
}

/** Round marks from 0 to the end, about six of them. */
export function ticks(endMs: number): number[] {
  const rough = endMs / 6
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough) ?? rough
  return Array.from({ length: Math.floor(endMs / step) + 1 }, (_, i) => i * step)
}

/**
 * Where a closer look ends, when one late stop (a retry, say) squeezes all others against the left edge: just after the
 * last stop before the jump. `undefined` when the whole journey reads well as it is.
 */
export function closeLookMs(hops: readonly Hop[]): number | undefined {
  const ends = hops
    .filter((hop) => hop.status === 'done')
    .map((hop) => hop.sinceStartMs)
    .filter((ms) => ms > 0)
    .sort((a, b) => a - b)
  const jump = ends.findIndex((ms, i) => i > 0 && ms > 8 * (ends[i - 1] ?? ms))
  const before = jump > 0 ? ends[jump - 1] : undefined
  return before === undefined ? undefined : before * 1.15
}

/** A mark of the axis: 0, 2.5 ms, 40 ms, 1.5 s. */
export function tickLabel(ms: number): string {
  if (ms === 0) return '0'
  const trim = (value: number): string => String(Number(value.toFixed(2)))
  return ms < 1_000 ? `${trim(ms)} ms` : `${trim(ms / 1_000)} s`
}
