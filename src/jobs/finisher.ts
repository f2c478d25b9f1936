import { systemClock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Done } from './runs.ts'

export interface FinisherOptions {
  /** Records a batch; returns the ids of those that were taken over. */
  finish(done: readonly Done[]): Promise<string[]>
  finished(done: readonly Done[], lost: readonly string[]): void
  /** Called when it was crowded and is not any more. */
  room(): void
  logger: Logger
}

const maxBatch = 1000
/** More ends than this wait: no further work is begun. */
const crowd = 3000

/** Tries after which a process that stops gives up. */
const lastAttempts = 4

/** Records ends together: while one batch is under way the next gathers. */
export class Finisher {
  readonly #options: FinisherOptions
  #waiting: Done[] = []
  #running: Promise<void> | undefined
  #closing = false

  constructor(options: FinisherOptions) {
    this.#options = options
  }

  get crowded(): boolean {
    return this.#waiting.length > crowd
  }

  add(done: Done): void {
    this.#waiting.push(done)
    this.#running ??= this.#run()
  }

  /** Records what is left. */
  async close(): Promise<void> {
    this.#closing = true
    while (this.#running !== undefined) await this.#running
  }

  async #run(): Promise<void> {
    await Promise.resolve() // gathers what ends in the same turn
    while (this.#waiting.length > 0) {
      const crowded = this.crowded
      await this.#finish(this.#waiting.splice(0, maxBatch))
      if (crowded && !this.crowded) this.#options.room()
    }
    this.#running = undefined
  }

  /** The work is done, so this is tried until it is recorded: a store that is away comes back or gives the jobs to others. */
  async #finish(batch: readonly Done[]): Promise<void> {
    const { finish, finished, logger } = this.#options
    for (let attempt = 1; ; attempt += 1) {
      try {
        const lost = await finish(batch)
        const gone = new Set(lost)
        finished(lost.length === 0 ? batch : batch.filter(({ run }) => !gone.has(run.id)), lost)
        return
      } catch (error) {
        logger.warn({ jobs: batch.length, error: messageOf(error) }, 'jobs that are done could not be recorded')
        if (this.#closing && attempt >= lastAttempts) return // whoever takes them over does them again
        await systemClock.sleep(250)
      }
    }
  }
}
