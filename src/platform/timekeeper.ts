import { lookMs } from '../events/append-on-terms.ts'
import { moveDue, nextDueMs, pruneEventIds } from '../events/scheduled.ts'
import { fireSchedules, nextFiringMs } from '../jobs/schedules.ts'
import type { Clock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import { Wake } from '../kernel/wake.ts'
import { assertHeld, type Lease } from '../store/lease.ts'
import { type DutyDeps, runDuty } from './duty.ts'
import type { Jobs } from './jobs.ts'

export interface TimekeeperDeps extends DutyDeps {
  /** The app's clock: it says what is due. `clock` is real time. */
  appClock: Clock
  jobs: Pick<Jobs, 'recover' | 'prune'>
  /** Called after events were put into the log. */
  committed: () => void
}

/** Without notifications nobody says that something earlier was stored. */
const lookOftenMs = 100
/** What is due but locked belongs to a transaction that ends soon, as a rule. */
const lockedMs = 50
const recoverEveryMs = 500
const pruneEveryMs = 5000

/**
 * Lets what is due happen, in one process of the fleet at a time: events published for later, schedules. Takes back the
 * jobs of dead processes.
 */
export class Timekeeper {
  readonly #deps: TimekeeperDeps
  readonly #wake = new Wake()
  #recoveredAt = Number.NEGATIVE_INFINITY
  #prunedAt = 0

  constructor(deps: TimekeeperDeps) {
    this.#deps = deps
  }

  /** Something due soon was stored, or the app's clock jumped. */
  poke(): void {
    this.#wake.poke()
  }

  /** Whether something is due now that has not happened yet, in whichever process. */
  async isDue(): Promise<boolean> {
    return (await this.#nextMs()) <= this.#deps.appClock.now()
  }

  run(stop: AbortSignal): Promise<void> {
    return runDuty('timekeeper', this.#deps, stop, async (lease, signal) => {
      while (!signal.aborted) {
        const waitMs = await this.turn(lease)
        await this.#tend()
        if (waitMs > 0) await this.#wake.wait(waitMs, signal)
      }
    })
  }

  /** One batch of what is due; returns how long there is nothing to do. */
  async turn(lease: Lease): Promise<number> {
    const { store, appClock, committed } = this.#deps
    const now = new Date(appClock.now())
    const nowMs = now.getTime()
    const nextMs = await this.#nextMs()
    if (nextMs > nowMs) return Math.min(store.sessions ? lookMs : lookOftenMs, nextMs - nowMs)
    const happened = await store.transaction(async (tx) => {
      await assertHeld(tx, lease)
      return (await moveDue(tx, now)) + (await fireSchedules(tx, nowMs))
    })
    if (happened === 0) return lockedMs
    committed()
    return 0
  }

  async #nextMs(): Promise<number> {
    const { store } = this.#deps
    return Math.min(
      (await nextDueMs(store)) ?? Number.POSITIVE_INFINITY,
      (await nextFiringMs(store)) ?? Number.POSITIVE_INFINITY,
    )
  }

  async #tend(): Promise<void> {
    const { store, clock, appClock, jobs, logger } = this.#deps
    const now = clock.now()
    try {
      if (now - this.#recoveredAt >= recoverEveryMs) {
        this.#recoveredAt = now
        await jobs.recover()
      }
      if (now - this.#prunedAt < pruneEveryMs) return
      this.#prunedAt = now
      while (await pruneEventIds(store, new Date(appClock.now())));
      await jobs.prune()
    } catch (error) {
      logger.warn({ error: messageOf(error) }, 'tending jobs and ids failed; it is tried again')
    }
  }
}
