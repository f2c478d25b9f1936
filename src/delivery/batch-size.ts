/**
 * How many positions to take at once: grows while batches are quick, shrinks when they hold a transaction for long, and
 * stays within what large events leave of the memory.
 */
export class BatchSize {
  #size = 100
  #fitting = mostAtOnce

  get size(): number {
    return Math.min(this.#size, this.#fitting)
  }

  /** What large events leave room for. */
  get most(): number {
    return this.#fitting
  }

  took(ms: number): void {
    if (ms > slowMs) this.#size = Math.max(1, this.#size >> 1)
    else if (ms < quickMs) this.#size = Math.min(mostAtOnce, this.#size * 2)
  }

  /** How much data so many positions had. */
  saw(positions: number, bytes: number): void {
    const fitting = Math.floor((mostBytes * positions) / Math.max(1, bytes))
    this.#fitting = Math.max(1, Math.min(mostAtOnce, fitting))
  }
}

const mostAtOnce = 1000
const mostBytes = 16 * 1024 * 1024
const quickMs = 30
const slowMs = 150
