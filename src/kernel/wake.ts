/** A coalescing wake-up: any number of `poke`s before a `wait` end that wait at once, exactly one time. */
export class Wake {
  #poked = false
  #resolve: (() => void) | undefined

  poke(): void {
    this.#poked = true
    this.#resolve?.()
  }

  /** Resolves on the next poke, after `timeoutMs`, or on abort. Says whether it was poked. One waiter at a time. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    if (!this.#poked && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer)
          signal.removeEventListener('abort', done)
          this.#resolve = undefined
          resolve()
        }
        const timer = setTimeout(done, timeoutMs)
        signal.addEventListener('abort', done, { once: true })
        this.#resolve = done
      })
    }
    const poked = this.#poked
    this.#poked = false
    return poked
  }
}
