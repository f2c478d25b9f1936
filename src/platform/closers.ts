import { messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'

/** What was opened, to be closed in reverse. One part that fails to close does not keep the others open. */
export class Closers {
  readonly #logger: Logger
  readonly #open: { name: string; close: () => Promise<void> }[] = []
  #closing: Promise<void> | undefined

  constructor(logger: Logger) {
    this.#logger = logger
  }

  add(name: string, close: () => Promise<void> | void): void {
    this.#open.push({ name, close: async () => close() })
  }

  /** Callable again: every caller waits for the one closing. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    for (let part = this.#open.pop(); part !== undefined; part = this.#open.pop()) {
      const { name, close } = part
      await close().catch((error: unknown) =>
        this.#logger.error({ part: name, error: messageOf(error) }, 'closing failed'),
      )
    }
  }
}
