import type { LogRecord } from '../events/record.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Transaction } from '../store/store.ts'
import { HandlerFailure } from './attempt.ts'
import { BlockedKeys } from './blocked-keys.ts'
import type { ConsumerMeter } from './consumer-meter.ts'
import type { ConsumerSpec } from './consumer-spec.ts'
import { done, fail, hold, recordOf, type TroubledRecord, waiting } from './deliveries.ts'
import { beginTry, endTry } from './killers.ts'
import { nextWaitMs } from './retry-policy.ts'
import { type Passage, settle } from './settle.ts'
import type { Share } from './share.ts'
import { stopConsumer } from './stop-consumer.ts'
import { carryOut, type TrialDeps } from './trial.ts'

export interface TroubleDeps extends TrialDeps {
  share: Share
  meter: ConsumerMeter
  logger: Logger
  /** Name of this process. */
  member: string
}

/** What becomes of an event that failed: it is tried again in so long, its fallback handled it, or it is given up. */
type Outcome = { kind: 'retry'; waitMs: number } | { kind: 'handled' } | { kind: 'dead' } | { kind: 'stop' }

/** The events of a consumer that failed, and those held behind them: set aside, tried again, given up. */
export class Trouble {
  readonly #spec: ConsumerSpec
  readonly #deps: TroubleDeps
  readonly #blocked: BlockedKeys
  /** Those that were waiting when their holder died: one of them may have killed it. */
  readonly #suspects = new Set<number>()

  constructor(spec: ConsumerSpec, deps: TroubleDeps) {
    this.#spec = spec
    this.#deps = deps
    this.#blocked = new BlockedKeys(spec.onFailure === 'dead-letter')
  }

  /** Takes over what is stored of the slots held here. */
  read = async (): Promise<void> => {
    const { store, clock, share } = this.#deps
    const slots = share.slots.map(({ slot }) => slot)
    const deliveries = await waiting(store, this.#spec.name, slots)
    const crashed = new Set(share.slots.filter(({ crashes }) => crashes > 0).map(({ slot }) => slot))
    for (const { position, slot } of deliveries) if (crashed.has(slot)) this.#suspects.add(position)
    this.#blocked.load(deliveries, clock.now())
  }

  /** Whether a record has to wait behind one of its key. */
  has(record: LogRecord): boolean {
    return this.#blocked.has(record)
  }

  get empty(): boolean {
    return this.#blocked.size === 0
  }

  /** Stores that records wait; call `held` once that has committed. */
  async hold(tx: Transaction, records: readonly LogRecord[]): Promise<void> {
    await hold(tx, this.#spec.name, records, this.#deps.share.slotOf)
  }

  held(records: readonly LogRecord[]): void {
    for (const record of records) this.#blocked.hold(record)
  }

  /** Milliseconds until something is due. */
  get restMs(): number {
    return this.#blocked.nextMs(this.#deps.clock.now())
  }

  /** Sets all of them aside, to be tried one by one with each try written down: one may have killed their process. */
  async suspect(records: readonly LogRecord[], through: number): Promise<void> {
    const { store, share } = this.#deps
    await store.transaction(async (tx) => {
      await this.hold(tx, records)
      await settle(tx, this.#spec.name, share.slots, through)
    })
    this.held(records)
    for (const { position } of records) this.#suspects.add(position)
    share.moveTo(through)
  }

  /** A record failed at its first try: the place moves beyond it. */
  async setAside(record: LogRecord, error: unknown, signal: AbortSignal): Promise<void> {
    const { clock, share } = this.#deps
    const outcome = await this.#judge(record, 1, error, signal, (tx, passage) =>
      settle(tx, this.#spec.name, share.slots, record.position, passage),
    )
    if (outcome.kind !== 'handled') {
      await this.#store(record, 1, error, outcome, (tx) => settle(tx, this.#spec.name, share.slots, record.position))
    }
    share.moveTo(record.position)
    if (outcome.kind === 'retry') this.#blocked.block(record, clock.now() + outcome.waitMs)
    if (outcome.kind === 'stop') this.#blocked.block(record, clock.now())
  }

  /** Tries the first due delivery again, alone and in its own transaction; false when none is due. */
  async retryDue(signal: AbortSignal): Promise<boolean> {
    const { store, clock, share } = this.#deps
    const due = this.#blocked.due(clock.now())
    if (due === undefined) return false
    const { key, position } = due
    const record = await recordOf(store, this.#spec.name, position)
    const number = due.attempt + 1
    const killed = this.#suspects.has(position) ? await beginTry(store, this.#spec.name, record) : undefined
    const failure =
      killed === undefined ? await this.#tryAgain(record, number, signal) : new HandlerFailure(record, killed)
    if (failure === undefined) this.#blocked.advance(key)
    else {
      const { cause } = failure
      const settleHandled = async (tx: Transaction, passage: Passage): Promise<void> => {
        await settle(tx, this.#spec.name, share.slotsOf(record), 0, passage)
        await done(tx, this.#spec.name, [record])
      }
      // What kills processes must not get the chance in its fallback.
      const outcome: Outcome =
        killed !== undefined ? { kind: 'dead' } : await this.#judge(record, number, cause, signal, settleHandled)
      if (outcome.kind !== 'handled')
        await this.#store(record, number, cause, outcome, async (tx) => {
          await settle(tx, this.#spec.name, share.slotsOf(record), 0)
          if (this.#suspects.has(position)) await endTry(tx, this.#spec.name, position)
        })
      if (outcome.kind === 'retry') this.#blocked.retryAt(key, number, clock.now() + outcome.waitMs)
      else if (outcome.kind === 'stop') this.#blocked.retryAt(key, number, clock.now())
      else this.#blocked.advance(key)
    }
    this.#suspects.delete(position)
    return true
  }

  async #tryAgain(record: TroubledRecord, number: number, signal: AbortSignal): Promise<HandlerFailure | undefined> {
    const { clock, share, meter } = this.#deps
    const passage = this.#passage(record, 'done')
    const blame = await carryOut(
      {
        ...{ records: [record], number, signal, alone: false },
        handle: (attempt) => this.#spec.handle([record], attempt),
        settle: async (tx) => {
          await settle(tx, this.#spec.name, share.slotsOf(record), 0, passage)
          await done(tx as Transaction, this.#spec.name, [record])
        },
      },
      this.#deps,
    )
    if (blame === undefined) meter.handled([record], clock.now())
    return blame as HandlerFailure | undefined // one alone is always to blame
  }

  /** Decides what becomes of a failed event; calls its fallback when it has had its last try. */
  async #judge(
    record: LogRecord,
    attempt: number,
    error: unknown,
    signal: AbortSignal,
    settleHandled: (tx: Transaction, passage: Passage) => Promise<void>,
  ): Promise<Outcome> {
    const { clock, meter } = this.#deps
    meter.failed()
    const ageMs = clock.now() - Date.parse(record.at)
    const waitMs = nextWaitMs(this.#spec, { attempt, ageMs, error })
    if (waitMs !== null) return { kind: 'retry', waitMs }
    if (await this.#fallBack(record, attempt, error, signal, settleHandled)) return { kind: 'handled' }
    return this.#spec.onFailure === 'stop' ? { kind: 'stop' } : { kind: 'dead' }
  }

  async #fallBack(
    record: LogRecord,
    number: number,
    error: unknown,
    signal: AbortSignal,
    settleHandled: (tx: Transaction, passage: Passage) => Promise<void>,
  ): Promise<boolean> {
    const { clock, logger, meter } = this.#deps
    const { name, fallback } = this.#spec
    if (fallback === undefined) return false
    const passage = this.#passage(record, 'fallback')
    const blame = await carryOut(
      {
        ...{ records: [record], number, signal, alone: false },
        handle: (attempt) => fallback(record, attempt, error),
        settle: (tx) => settleHandled(tx as Transaction, passage),
      },
      this.#deps,
    )
    if (blame === undefined) {
      meter.handled([record], clock.now())
      logger.warn({ consumer: name, position: record.position, error: messageOf(error) }, 'an event fell back')
      return true
    }
    const cause = blame === 'unclear' ? undefined : blame.cause
    logger.warn({ consumer: name, position: record.position, error: messageOf(cause) }, 'the fallback failed too')
    return false
  }

  async #store(
    record: LogRecord | TroubledRecord,
    attempt: number,
    error: unknown,
    outcome: Exclude<Outcome, { kind: 'handled' }>,
    settleFailed: (tx: Transaction) => Promise<void>,
  ): Promise<void> {
    const { store, share, logger } = this.#deps
    const { name } = this.#spec
    // One that stopped the consumer is due when it is resumed.
    const waitMs = outcome.kind === 'retry' ? outcome.waitMs : outcome.kind === 'stop' ? 0 : null
    await store.transaction(async (tx) => {
      await settleFailed(tx)
      await fail(tx, name, { record, slot: share.slotOf(record), attempt, error, waitMs })
      if (outcome.kind === 'stop') await stopConsumer(tx, name, record.position, error)
    })
    if (outcome.kind === 'stop') share.pause()
    logger.warn({ consumer: name, position: record.position, attempt, error: messageOf(error) }, told[outcome.kind])
  }

  #passage({ position }: LogRecord, outcome: Passage['outcome']): Passage {
    const { clock, member } = this.#deps
    return {
      consumer: this.#spec.name,
      member,
      first: position,
      last: position,
      startedAt: new Date(clock.now()),
      outcome,
    }
  }
}

const told = {
  retry: 'handling an event failed; it will be tried again',
  dead: 'an event became a dead letter',
  stop: 'an event failed to the last, and the consumer paused itself',
}
