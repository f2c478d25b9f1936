import type { Rates } from './rates.ts'

/**
 * One answer for all who ask within a second, from the first who does. While an answer is still being made, however long
 * it takes, no second one is begun: the store is asked once at a time.
 */
export class EachSecond<T> {
  readonly #rates: Rates
  readonly #make: () => Promise<T>
  #made: { second: number; answer: Promise<T> } | undefined
  #making = false

  constructor(rates: Rates, make: () => Promise<T>) {
    this.#rates = rates
    this.#make = make
  }

  get(): Promise<T> {
    const second = this.#rates.samples
    if (this.#made !== undefined && (this.#making || this.#made.second === second)) return this.#made.answer
    this.#making = true
    const answer = this.#make().finally(() => {
      this.#making = false
    })
    this.#made = { second, answer }
    return answer
  }
}
