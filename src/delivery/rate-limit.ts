/**
 * A token bucket that holds one second's worth, at least one token. How fast it fills may change: it is this process's
 * part of a rate of the fleet.
 */
export class RateLimit {
  readonly #perSecond: number
  readonly #now: () => number
  #tokens = 0
  #at: number

  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond
    this.#now = now
    this.#at = now()
  }

  /** Whole tokens there are now. */
  available(portion: number): number {
    const now = this.#now()
    const rate = this.#perSecond * portion
    this.#tokens = Math.min(Math.max(1, rate), this.#tokens + ((now - this.#at) / 1000) * rate)
    this.#at = now
    return Math.floor(this.#tokens)
  }

  take(count: number): void {
    this.#tokens -= count
  }

  /** Milliseconds until there is one. */
  nextMs(portion: number): number {
    const rate = this.#perSecond * portion
    return rate === 0 ? Number.POSITIVE_INFINITY : Math.max(1, Math.ceil(((1 - this.#tokens) / rate) * 1000))
  }
}
