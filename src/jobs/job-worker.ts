import { backoffMs } from '../kernel/backoff.ts'
import { type Clock, systemClock } from '../kernel/clock.ts'
import { messageOf, PlatformError } from '../kernel/errors.ts'
import type { Faults } from '../kernel/faults.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Counter, Metrics } from '../kernel/metrics.ts'
import { Wake } from '../kernel/wake.ts'
import type { Member } from '../store/member.ts'
import type { Store } from '../store/store.ts'
import { AtWork } from './at-work.ts'
import { Claimer } from './claimer.ts'
import { Finisher } from './finisher.ts'
import type { JobDefinition } from './job-definition.ts'
import { JobRun } from './job-run.ts'
import { Lane } from './lane.ts'
import { claimJobs, type Done, finishDone, finishFailed, handBack, nextJobMs, type Run } from './runs.ts'

export interface JobWorkerDeps {
  store: Store
  member: Member
  /** The app's clock: it says what is due. */
  clock: Clock
  logger: Logger
  metrics: Metrics
  faults: Faults
  /** Called after events were published by a handler. */
  published: () => void
  /** Called with jobs that ended, for those who wait in this process. */
  ended: (ids: readonly string[]) => void
}

/** How often a process looks for work that nobody told it of. */
const pollMs = 500
/** After something was added in a transaction whose commit we do not see, it looks this often, this long. */
const eagerMs = 10
const expectMs = 2000
/** While it would take long to ask when the next job is due, it just looks. */
const hamperedMs = 50
/** Dead and cancelled jobs wait for somebody to look at them. */
const troubleMs = 30 * 86_400_000

/**
 * Works on the jobs of one process: claim → handle → finish. One claim serves all queues; ends without effects in
 * Postgres are committed together.
 */
export class JobWorker {
  readonly #deps: JobWorkerDeps
  readonly #lanes: Map<string, Lane>
  readonly #wake = new Wake()
  readonly #atWork: AtWork
  readonly #claimer: Claimer
  readonly #finisher: Finisher
  readonly #counters: Record<'done' | 'failed', Map<string, Counter>>
  #idle: (() => void) | undefined
  #expectUntil = 0
  #stopping = false

  constructor(definitions: readonly JobDefinition<never>[], deps: JobWorkerDeps) {
    this.#deps = deps
    // In one order everywhere: claims of queues with lanes take turns, and must not wait for each other in a circle.
    const names = definitions.toSorted((a, b) => (a.name < b.name ? -1 : 1))
    this.#lanes = new Map(names.map((definition) => [definition.name, new Lane(definition)]))
    const counters = (name: string, help: string): Map<string, Counter> =>
      new Map(definitions.map((each) => [each.name, deps.metrics.counter(name, help, { job: each.name })]))
    this.#counters = {
      done: counters('millrace_jobs_done_total', 'Jobs done, by name.'),
      failed: counters('millrace_job_failures_total', 'Failed tries, by name.'),
    }
    this.#atWork = new AtWork({ store: deps.store, owner: deps.member.id, logger: deps.logger })
    this.#claimer = new Claimer((wants, levels) => claimJobs(deps.store, deps.member.id, this.#now(), wants, levels))
    this.#finisher = new Finisher({
      finish: (done) => finishDone(deps.store, deps.member.id, this.#now(), done),
      finished: (done, lost) => this.#finished(done, lost),
      room: () => this.#wake.poke(),
      logger: deps.logger,
    })
  }

  /** Something was added. */
  poke(): void {
    this.#wake.poke()
  }

  /** Something was added in a transaction of which we shall not see the commit. */
  expect(): void {
    this.#expectUntil = performance.now() + expectMs
    this.#wake.poke()
  }

  /** A job at work was cancelled. */
  review(): void {
    this.#atWork.poke()
  }

  /** Works until `stop`; `abort` is when handlers that are still at work are told to end. What was not done goes back. */
  async run(stop: AbortSignal, abort: AbortSignal): Promise<void> {
    const { store, member, logger } = this.#deps
    const watching = this.#atWork.watch(stop, () => this.#handBackStale())
    while (!stop.aborted) {
      try {
        if (!(await this.turn())) await this.#wake.wait(await this.#idleMs(), stop)
      } catch (error) {
        logger.warn({ error: messageOf(error) }, 'jobs could not be claimed; it is tried again')
        await systemClock.sleep(250, stop)
      }
    }
    this.#stopping = true
    const left = [...this.#lanes.values()].flatMap((lane) => lane.drop())
    await handBack(store, member.id, left).catch((error: unknown) =>
      logger.warn({ error: messageOf(error) }, 'jobs could not be handed back; others take them over'),
    )
    await this.#allEnded(abort)
    await this.#finisher.close()
    await watching
  }

  /** Claims what there is room for and begins it; false when there was nothing. */
  async turn(): Promise<boolean> {
    const wants = this.#finisher.crowded ? [] : [...this.#lanes.values()].flatMap((lane) => lane.want() ?? [])
    if (wants.length === 0) return false
    const runs = await this.#claimer.claim(wants)
    const byQueue = new Map<string, Run[]>()
    for (const run of runs) {
      const list = byQueue.get(run.queue)
      if (list === undefined) byQueue.set(run.queue, [run])
      else list.push(run)
    }
    for (const [queue, list] of byQueue) {
      const lane = this.#lanes.get(queue) as Lane
      lane.take(list)
      this.#pump(lane)
    }
    return runs.length > 0
  }

  /** What was taken ahead while the work was quick, and is not begun now that it is not: for others. */
  async #handBackStale(): Promise<void> {
    const stale = [...this.#lanes.values()].flatMap((lane) => lane.stale())
    await handBack(this.#deps.store, this.#deps.member.id, stale)
  }

  #now(): Date {
    return new Date(this.#deps.clock.now())
  }

  async #idleMs(): Promise<number> {
    const { store, clock } = this.#deps
    if (performance.now() < this.#expectUntil) return eagerMs
    const queues = [...this.#lanes.values()].flatMap((lane) => lane.want()?.queue ?? [])
    if (queues.length === 0) return pollMs // whoever ends wakes us
    if (this.#claimer.hampered) return hamperedMs
    const next = await nextJobMs(store, queues, this.#now())
    return next === undefined ? pollMs : Math.max(1, Math.min(pollMs, next - clock.now()))
  }

  #pump(lane: Lane): void {
    for (let run = lane.next(); run !== undefined; run = lane.next()) this.#begin(lane, run)
    if (!this.#stopping && lane.want() !== undefined) this.#wake.poke()
  }

  #begin(lane: Lane, run: Run): void {
    const { store, clock, logger } = this.#deps
    const { handler, options } = lane.definition
    const job = new JobRun(run, { store, clock, log: logger })
    if (run.attempt > options.attempts) {
      this.#outlived(lane, job)
      return
    }
    let result: unknown
    try {
      result = handler(job)
    } catch (error) {
      void this.#failed(lane, job, error)
      return
    }
    if (isThenable(result)) void this.#await(lane, job, result)
    else if (job.untouched) this.#succeeded(lane, job, result)
    else void this.#commit(lane, job, result)
  }

  async #await(lane: Lane, job: JobRun, work: PromiseLike<unknown>): Promise<void> {
    const { name, options } = lane.definition
    this.#atWork.add(job)
    const timer = setTimeout(
      () => job.end(new PlatformError('HANDLER_TIMEOUT', `job ${name} took longer than ${options.timeoutMs} ms`)),
      options.timeoutMs,
    )
    let outcome: { result: unknown } | { error: unknown }
    try {
      outcome = { result: await job.inTime(work) }
    } catch (error) {
      outcome = { error }
    } finally {
      clearTimeout(timer)
    }
    if ('error' in outcome) await this.#failed(lane, job, outcome.error)
    else if (job.untouched) this.#succeeded(lane, job, outcome.result)
    else await this.#commit(lane, job, outcome.result)
  }

  /** Nothing to commit but the end: it goes with the next batch, and its place is free at once. */
  #succeeded(lane: Lane, job: JobRun, result: unknown): void {
    let done: Done
    try {
      done = this.#doneOf(lane, job, result)
    } catch (error) {
      void this.#failed(lane, job, error)
      return
    }
    this.#finisher.add(done)
    this.#leave(lane, job)
  }

  async #commit(lane: Lane, job: JobRun, result: unknown): Promise<void> {
    const { member, faults, published } = this.#deps
    try {
      const done = this.#doneOf(lane, job, result)
      const anyPublished = await job.commit(async (tx) => {
        await faults.at('jobs.handled')
        const lost = await finishDone(tx, member.id, this.#now(), [done])
        if (lost.length > 0) throw new PlatformError('LEASE_LOST', `job ${job.id} was taken over by another process`)
        await faults.at('jobs.finished')
      })
      if (anyPublished) published()
      this.#finished([done], [])
      this.#leave(lane, job)
    } catch (error) {
      await this.#failed(lane, job, error)
    }
  }

  #doneOf({ definition }: Lane, { run }: JobRun, result: unknown): Done {
    const { retentionMs, uniqueForMs } = definition.options
    const now = this.#deps.clock.now()
    return {
      run,
      result: (JSON.stringify(result) as string | undefined) ?? null,
      expiresAt: retentionMs === 0 ? null : new Date(now + retentionMs),
      keyUntil: new Date(now + uniqueForMs),
    }
  }

  #finished(done: readonly Done[], lost: readonly string[]): void {
    const { logger, ended } = this.#deps
    for (const { run } of done) this.#counters.done.get(run.queue)?.add()
    if (lost.length > 0) logger.warn({ jobs: lost }, 'another process has taken over jobs that were done here')
    ended(done.map(({ run }) => run.id))
  }

  async #failed(lane: Lane, job: JobRun, error: unknown): Promise<void> {
    await job.rollback()
    try {
      await this.#recordFailure(lane, job, error)
    } catch (cause) {
      // Stays ours until the process ends or the store says otherwise: then it is taken over.
      this.#deps.logger.warn({ job: job.id, error: messageOf(cause) }, 'a failed job could not be recorded')
      await handBack(this.#deps.store, this.#deps.member.id, [job.run]).catch(() => undefined)
    }
    this.#leave(lane, job)
  }

  async #recordFailure(lane: Lane, job: JobRun, error: unknown): Promise<void> {
    const { store, member, clock, logger, ended } = this.#deps
    const { name, options } = lane.definition
    const reason = job.endedBy?.code
    if (reason === 'LEASE_LOST') return
    if (reason === 'APP_NOT_RUNNING') return handBack(store, member.id, [job.run])
    const cancelled = reason === 'JOB_CANCELLED'
    const last = cancelled || job.attempt >= options.attempts || isFinal(error)
    const now = clock.now()
    const state = await finishFailed(store, member.id, new Date(now), {
      run: job.run,
      error,
      retryAt: last ? null : new Date(now + backoffMs(job.attempt, options.backoff)),
      cancelled,
      expiresAt: new Date(now + Math.max(troubleMs, options.retentionMs)),
    })
    if (state === undefined) {
      logger.warn({ job: name, id: job.id }, 'a job that failed here was taken over by another process')
    } else if (!cancelled) {
      this.#counters.failed.get(name)?.add()
      logger.warn(
        { job: name, id: job.id, attempt: job.attempt, error: messageOf(error) },
        state === 'dead' ? 'a job is dead' : 'a job failed; it will be tried again',
      )
    }
    if (state === 'dead' || state === 'cancelled') ended([job.id])
  }

  #outlived(lane: Lane, job: JobRun): void {
    const message = `job ${lane.definition.name} was at work ${job.attempt - 1} times when its process ended`
    void this.#failed(lane, job, new PlatformError('JOB_FAILED', message))
  }

  #leave(lane: Lane, job: JobRun): void {
    lane.left()
    this.#atWork.delete(job)
    if (this.#stopping) {
      this.#idle?.()
      this.#atWork.poke()
    } else if (lane.waiting > 0) this.#pumpSoon(lane)
    else this.#wake.poke()
  }

  /** After the ends of this turn of the event loop, not inside each: handlers that return at once would nest. */
  #pumpSoon(lane: Lane): void {
    if (lane.pumping) return
    lane.pumping = true
    queueMicrotask(() => {
      lane.pumping = false
      if (!this.#stopping) this.#pump(lane)
    })
  }

  /** Waits for the handlers at work; after `abort` they have a moment to notice, then their jobs go back. */
  async #allEnded(abort: AbortSignal): Promise<void> {
    const tell = (): void => this.#atWork.stop()
    if (abort.aborted) tell()
    else abort.addEventListener('abort', tell, { once: true })
    while ([...this.#lanes.values()].some(({ running }) => running > 0))
      await new Promise<void>((resolve) => {
        this.#idle = resolve
      })
    abort.removeEventListener('abort', tell)
  }
}

/** Errors may say that trying again makes no sense. */
function isFinal(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'retryable' in error && error.retryable === false
}

/** Promises, and what query builders return in their place. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
