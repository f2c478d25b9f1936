/** How many positions to take at once: grows while batches are quick, shrinks when they hold a transaction for long. */
export class BatchSize {
  #size = 100

  get size(): number {
    return this.#size
  }

  took(ms: number): void {
    if (ms > slowMs) this.#size = Math.max(1, this.#size >> 1)
    else if (ms < quickMs) this.#size = Math.min(most, this.#size * 2)
  }
}

const most = 1000
const quickMs = 30
const slowMs = 150
