import type { ConsumerDeps } from '../delivery/consumer.ts'
import { JobQueue } from '../jobs/job-queue.ts'
import { JobWorker } from '../jobs/job-worker.ts'
import { pruneJobs, Recovery } from '../jobs/recover.ts'
import { messageOf } from '../kernel/errors.ts'
import { coalescedNotify } from '../store/notify.ts'
import type { Parts } from './app-definition.ts'

/** How long other processes may not know of jobs that were added here: they are told once for all of that time. */
const tellGapMs = 10

/** The jobs of a running app: what adds them and what works on them, in this process. */
export class Jobs {
  readonly #parts: Parts
  readonly #platform: object
  readonly #deps: ConsumerDeps
  readonly #queue: JobQueue
  readonly #worker: JobWorker
  readonly #recovery: Recovery

  constructor(parts: Parts, platform: object, deps: ConsumerDeps) {
    const { store, clock, logger } = deps
    this.#parts = parts
    this.#platform = platform
    this.#deps = deps
    const tellOthers = coalescedNotify(store, 'millrace_jobs', tellGapMs, (error) =>
      logger.debug({ error: messageOf(error) }, 'other processes were not told of new jobs'),
    )
    this.#queue = new JobQueue({
      store,
      clock,
      added: () => {
        this.#worker.poke()
        tellOthers()
      },
      expected: () => this.#worker.expect(),
    })
    this.#worker = new JobWorker(parts.jobs, { ...deps, ended: (ids) => this.#queue.ended(ids) })
    this.#recovery = new Recovery(store)
    for (const { binding } of parts.jobs) binding.bind(platform, this.#queue)
  }

  async run(stop: AbortSignal, abort: AbortSignal): Promise<void> {
    if (this.#parts.jobs.length > 0) await this.#worker.run(stop, abort)
  }

  /** Told by another process, or by hand: jobs were added, or one at work was cancelled. */
  told(what: string): void {
    if (what !== '') this.#worker.review()
    if (what !== 'cancel') this.#worker.poke()
  }

  poke(): void {
    this.#worker.poke()
  }

  /** Takes the jobs of dead processes back. In one process of the fleet. */
  async recover(): Promise<void> {
    const { clock, logger } = this.#deps
    const recovered = await this.#recovery.turn(new Date(clock.now()))
    if (recovered === 0) return
    logger.warn({ jobs: recovered }, 'a process ended while it was at work on jobs; they are done again')
    this.#worker.poke()
  }

  prune(): Promise<void> {
    return pruneJobs(this.#deps.store, new Date(this.#deps.clock.now()))
  }

  /** Resolves when everything that was added is stored. */
  drain(): Promise<void> {
    return this.#queue.drain()
  }

  close(): void {
    for (const { binding } of this.#parts.jobs) binding.unbind(this.#platform)
  }
}
