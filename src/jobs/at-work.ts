import { messageOf, PlatformError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import { Wake } from '../kernel/wake.ts'
import type { Store } from '../store/store.ts'
import type { JobRun } from './job-run.ts'
import { reviewRuns, storeProgress } from './runs.ts'

/** How often the jobs at work are looked at: taken over, cancelled, their progress. */
const reviewMs = 500
/** How long handlers may take to notice that the app stops. */
const noticeMs = 500

export interface AtWorkDeps {
  store: Store
  /** This process. */
  owner: string
  logger: Logger
}

/** The jobs whose handlers are at work in this process, and what they have to be told. */
export class AtWork {
  readonly #deps: AtWorkDeps
  readonly #jobs = new Set<JobRun>()
  readonly #wake = new Wake()

  constructor(deps: AtWorkDeps) {
    this.#deps = deps
  }

  add(job: JobRun): void {
    this.#jobs.add(job)
  }

  delete(job: JobRun): void {
    this.#jobs.delete(job)
  }

  /** One was cancelled, or the last one has ended. */
  poke(): void {
    this.#wake.poke()
  }

  /** Tells all that the app stops. */
  stop(): void {
    const reason = new PlatformError('APP_NOT_RUNNING', 'the app stops')
    for (const job of this.#jobs) job.end(reason, noticeMs)
  }

  /** Looks after them until `stop` and until none is left. @param also done at each look */
  async watch(stop: AbortSignal, also: () => Promise<void>): Promise<void> {
    const never = new AbortController().signal
    while (!stop.aborted || this.#jobs.size > 0) {
      await this.#wake.wait(reviewMs, stop.aborted ? never : stop)
      try {
        await also()
        if (this.#jobs.size > 0) await this.#review()
      } catch (error) {
        this.#deps.logger.debug({ error: messageOf(error) }, 'the jobs at work could not be looked at')
      }
    }
  }

  /** Stores progress, and ends what was taken over or cancelled. */
  async #review(): Promise<void> {
    const { store, owner } = this.#deps
    const jobs = [...this.#jobs]
    const said = new Map(jobs.flatMap((job) => (job.unsaid === undefined ? [] : [[job.id, job.unsaid] as const])))
    for (const job of jobs) job.unsaid = undefined
    await storeProgress(store, owner, said)
    const ids = jobs.map(({ id }) => id)
    const held = await reviewRuns(store, owner, ids)
    for (const job of jobs) {
      if (!this.#jobs.has(job)) continue
      const state = held.get(job.id)
      // Given back to this same process it is another try.
      if (state?.attempt !== job.attempt)
        job.end(new PlatformError('LEASE_LOST', `job ${job.id} was taken over by another process`))
      else if (state.cancelled) job.end(new PlatformError('JOB_CANCELLED', `job ${job.id} was cancelled`))
    }
  }
}
