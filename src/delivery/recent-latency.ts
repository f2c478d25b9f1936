const keep = 1024

/** The newest latencies, so that what is told is how it is now and not the average since the start. */
export class RecentLatency {
  readonly #seconds = new Float64Array(keep)
  #count = 0

  observe(seconds: number): void {
    this.#seconds[this.#count % keep] = seconds
    this.#count += 1
  }

  /** Quantile `q` in seconds; `undefined` before the first observation. */
  quantile(q: number): number | undefined {
    const sorted = this.#seconds.slice(0, Math.min(this.#count, keep)).sort()
    return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]
  }
}
