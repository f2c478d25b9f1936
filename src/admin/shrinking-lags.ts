/** Over how long it is looked how a lag moves. */
const windowMs = 10_000
const leastMs = 500

/** Remembers how far followers were behind lately, to say when they will have caught up. */
export class ShrinkingLags {
  readonly #seen = new Map<string, { at: number; lag: number }[]>()

  /** Milliseconds until `lag` is gone at the pace of the last seconds; `undefined` when it does not shrink. */
  etaMs(follower: string, lag: number, now: number = performance.now()): number | undefined {
    const seen = (this.#seen.get(follower) ?? []).filter(({ at }) => now - at <= windowMs)
    const first = seen[0]
    if (now - (seen.at(-1)?.at ?? Number.NEGATIVE_INFINITY) >= leastMs) seen.push({ at: now, lag })
    this.#seen.set(follower, seen)
    if (lag === 0 || first === undefined || now - first.at < leastMs || first.lag <= lag) return undefined
    return Math.round((lag * (now - first.at)) / (first.lag - lag))
  }
}
