import type { LogRecord } from '../events/record.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Faults } from '../kernel/faults.ts'
import type { Store, Transaction } from '../store/store.ts'
import { Attempt } from './attempt.ts'
import { type Blame, blameCommit, blameHandlers } from './blame.ts'

export interface TrialDeps {
  store: Store
  clock: Clock
  faults: Faults
  /** Called after events were published by a handler. */
  published: () => void
}

/** One try at some records. */
export interface Trial {
  readonly records: readonly LogRecord[]
  readonly number: number
  /** What handlers see when the app stops. */
  readonly signal: AbortSignal
  readonly handle: (attempt: Attempt) => Promise<void>
  /** Commits with what the handlers did. */
  readonly settle: (target: Store | Transaction) => Promise<void>
  /** `settle` is one statement, so it needs no transaction when the handlers did nothing in Postgres. */
  readonly alone: boolean
}

/**
 * Handlers, then their effects and the place in the log in one transaction. Returns whose failure stopped it.
 * @throws what is the store's fault
 */
export async function carryOut(trial: Trial, deps: TrialDeps): Promise<Blame | undefined> {
  const { records, number, signal } = trial
  const { store, clock, faults, published } = deps
  const attempt = new Attempt(store, signal, number, clock)
  try {
    await trial.handle(attempt)
  } catch (error) {
    await attempt.rollback()
    return blameHandlers(error, records, signal)
  }
  try {
    await faults.at('delivery.handled')
    if (attempt.untouched && trial.alone) {
      attempt.end()
      await trial.settle(store)
      return undefined
    }
    const anyPublished = await attempt.commit(async (tx) => {
      await trial.settle(tx)
      await faults.at('delivery.settled')
    })
    if (anyPublished) published()
  } catch (error) {
    await attempt.rollback()
    return blameCommit(error, records)
  }
  return undefined
}
