import type { Feed } from '../events/feed.ts'
import type { LogRecord } from '../events/record.ts'
import { type Clock, systemClock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Faults } from '../kernel/faults.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Counter, Histogram, Metrics } from '../kernel/metrics.ts'
import { Wake } from '../kernel/wake.ts'
import type { Member } from '../store/member.ts'
import type { Store, Transaction } from '../store/store.ts'
import { Attempt, type HandlerFailure } from './attempt.ts'
import { BatchSize } from './batch-size.ts'
import { type Blame, blameCommit, blameHandlers } from './blame.ts'
import { BlockedKeys } from './blocked-keys.ts'
import type { ConsumerSpec } from './consumer-spec.ts'
import { done, fail, hold, nextWaitMs, recordOf, type TroubledRecord, waiting } from './deliveries.ts'
import { RecentLatency } from './recent-latency.ts'
import { type Passage, settle } from './settle.ts'
import { claimSlots, heldSlots, registerConsumer, releaseSlots, type Slot, slotOf } from './slots.ts'

export interface ConsumerDeps {
  store: Store
  feed: Feed
  member: Member
  clock: Clock
  logger: Logger
  metrics: Metrics
  faults: Faults
  /** Called after events were published by a handler. */
  published: () => void
}

/** What the loop itself needs: of the feed only this. */
export type LoopDeps = Omit<ConsumerDeps, 'feed'> & { feed: Pick<Feed, 'take'> }

/** How often a process looks for slots to take or to hand on. */
const balanceMs = 500
/** How long retries may go on before new events get their turn: what a key held back must not hold up the others. */
const retryMs = 50
/** How often a place that moved over foreign events only is stored. */
const flushMs = 1000

/**
 * One consumer in one process: claim → handle → settle, in turns. `turn` does one piece of work; `run` only repeats it.
 */
export class Consumer {
  readonly spec: ConsumerSpec
  readonly #deps: LoopDeps
  readonly #wake = new Wake()
  readonly #blocked = new BlockedKeys()
  readonly #batch = new BatchSize()
  readonly #handled: Counter
  readonly #failed: Counter
  readonly #seconds: Histogram
  readonly #recent = new RecentLatency()
  #slotCount = 0
  #slots: Slot[] = []
  #balancedAt = Number.NEGATIVE_INFINITY
  #flushedAt = 0
  #unflushed = false
  #paused = false
  #revision = 0

  constructor(spec: ConsumerSpec, deps: LoopDeps) {
    this.spec = spec
    this.#deps = deps
    const labels = { consumer: spec.name }
    this.#handled = deps.metrics.counter('millrace_handled_total', 'Events handled, by consumer.', labels)
    this.#failed = deps.metrics.counter('millrace_handler_failures_total', 'Failed tries, by consumer.', labels)
    this.#seconds = deps.metrics.histogram(
      'millrace_publish_to_handled_seconds',
      'From publish to handled and settled.',
      labels,
    )
  }

  get handledTotal(): number {
    return this.#handled.value
  }

  /** Everything up to here is handled or set aside, on the slots of this process; `undefined` while it holds none. */
  get position(): number | undefined {
    return this.#slots.length === 0 ? undefined : Math.min(...this.#slots.map(({ position }) => position))
  }

  /** The place of one slot, newer than what is stored; `undefined` while this process does not hold it. */
  positionOf(slot: number): number | undefined {
    return this.#slots.find((mine) => mine.slot === slot)?.position
  }

  latencyQuantile(q: number): number | undefined {
    return this.#recent.quantile(q)
  }

  /** Whether it was told to stand still, as far as this process knows. */
  get paused(): boolean {
    return this.#paused
  }

  poke(): void {
    this.#wake.poke()
  }

  /** Looks at once whether it was paused, resumed, or its deliveries were changed by hand. */
  review(): void {
    this.#balancedAt = Number.NEGATIVE_INFINITY
    this.#wake.poke()
  }

  async register(): Promise<void> {
    this.#slotCount = await registerConsumer(this.#deps.store, this.spec.name, this.spec.start)
  }

  /**
   * Works until `stop`; what was begun is finished first, then the slots are handed back. `abort` is what handlers see:
   * work that it breaks off is handed back, not counted as failed.
   */
  async run(signal: AbortSignal, abort: AbortSignal): Promise<void> {
    const { logger } = this.#deps
    while (!signal.aborted) {
      try {
        if (!(await this.turn(abort))) await this.#wake.wait(this.#idleMs(), signal)
      } catch (error) {
        // Not the handler's fault: the store failed or a slot went to another process. Start again from what is stored.
        logger.warn({ consumer: this.spec.name, error: messageOf(error) }, 'delivery starts again')
        this.#balancedAt = Number.NEGATIVE_INFINITY
        this.#slots = []
        await systemClock.sleep(250, signal)
      }
    }
    await releaseSlots(this.#deps.store, this.spec.name, this.#slots)
  }

  /** Does the next piece of work; false when there was none. */
  async turn(signal: AbortSignal): Promise<boolean> {
    await this.#balance()
    if (this.#slots.length === 0) return false
    if (this.#paused) return this.#flush()
    const retried = await this.#retryAllDue(signal)

    const from = Math.min(...this.#slots.map(({ position }) => position))
    const { records, through } = await this.#deps.feed.take(from, this.#batch.size, this.spec.selection)
    if (through === from) return (await this.#flush()) || retried
    const mine = records.filter((record) => this.#isMine(record))
    if (mine.length > 0) await this.#deliver(mine, through, signal)
    else this.#passOver(through)
    return true
  }

  /** Takes part in sharing out the slots: claims what is free, hands on what is more than a fair share. */
  async #balance(): Promise<void> {
    const { store, member, clock } = this.#deps
    const now = systemClock.now()
    if (now - this.#balancedAt < balanceMs) return
    this.#balancedAt = now
    const claimed = await claimSlots(store, member, this.spec.name, this.#slotCount)
    const { slots, members, paused, revision } = await heldSlots(store, member, this.spec.name)
    const fair = Math.ceil(this.#slotCount / members)
    const changed =
      revision !== this.#revision ||
      claimed.length > 0 ||
      slots.length !== this.#slots.length ||
      slots.some((slot) => !this.#slots.some((mine) => mine.slot === slot.slot && mine.epoch === slot.epoch))
    const known = new Map(this.#slots.map((slot) => [`${slot.slot}/${slot.epoch}`, slot.position]))
    this.#slots = slots.map((slot) => ({
      ...slot,
      position: Math.max(slot.position, known.get(`${slot.slot}/${slot.epoch}`) ?? 0),
    }))
    this.#paused = paused
    if (slots.length > fair) {
      await releaseSlots(store, this.spec.name, this.#slots.splice(fair))
    } else if (!changed) return
    this.#blocked.load(
      await waiting(
        store,
        this.spec.name,
        this.#slots.map(({ slot }) => slot),
      ),
      clock.now(),
    )
    // Known only once its deliveries are: a failure in between makes the next look read them.
    this.#revision = revision
  }

  #isMine(record: LogRecord): boolean {
    const slot = slotOf(record, this.#slotCount)
    return (
      this.#slots.some((mine) => mine.slot === slot && mine.position < record.position) && this.spec.matches(record)
    )
  }

  #slotOf = (record: LogRecord): number => slotOf(record, this.#slotCount)

  #moveTo(position: number): void {
    for (const slot of this.#slots) slot.position = Math.max(slot.position, position)
  }

  #passOver(through: number): void {
    this.#moveTo(through)
    this.#unflushed = true
  }

  async #flush(): Promise<boolean> {
    const { store } = this.#deps
    const [slot] = this.#slots
    if (!this.#unflushed || slot === undefined || systemClock.now() - this.#flushedAt < flushMs) return false
    await settle(store, this.spec.name, this.#slots, Math.min(...this.#slots.map(({ position }) => position)))
    this.#unflushed = false
    this.#flushedAt = systemClock.now()
    return false
  }

  /**
   * Handles `records` and moves the place to `through`. All of it commits at once when nothing fails. A record that
   * fails is set aside with its key; those before it are committed, those after it go on.
   */
  async #deliver(records: readonly LogRecord[], through: number, signal: AbortSignal): Promise<void> {
    let rest = records
    let span = records.length
    while (rest.length > 0) {
      const part = rest.slice(0, span)
      const end = part.length === rest.length ? through : (part.at(-1)?.position ?? through)
      const failure = await this.#attempt(part, end, signal)
      if (failure === undefined) rest = rest.slice(part.length)
      else if (failure === 'unclear') span = 1
      else {
        const at = rest.indexOf(failure.record)
        const before = rest.slice(0, at)
        const last = before.at(-1)
        if (last !== undefined) await this.#deliver(before, last.position, signal)
        // An earlier one of its key may have failed this time: then it is held behind that one.
        const behind = this.#blocked.has(failure.record)
        if (!behind) await this.#setAside(failure.record, failure.cause)
        rest = rest.slice(behind ? at : at + 1)
      }
    }
    this.#passOver(through)
  }

  /** One try at a batch. Returns the failure of a handler; throws when the store is at fault. */
  async #attempt(records: readonly LogRecord[], through: number, signal: AbortSignal): Promise<Blame | undefined> {
    const { store, clock, faults, member, published } = this.#deps
    const startedAt = new Date(clock.now())
    const held = this.#blocked.size === 0 ? [] : records.filter((record) => this.#blocked.has(record))
    const todo = held.length === 0 ? records : records.filter((record) => !this.#blocked.has(record))
    const attempt = new Attempt(store, signal, 1, clock)
    try {
      await this.spec.handle(todo, attempt)
    } catch (error) {
      await attempt.rollback()
      return blameHandlers(error, todo, signal)
    }
    try {
      await faults.at('delivery.handled')
      const [first, last] = [records[0], records.at(-1)]
      const passage: Passage | undefined = first &&
        last && { consumer: this.spec.name, member: member.name, first: first.position, last: last.position, startedAt }
      const record = async (tx: Transaction): Promise<void> => {
        await hold(tx, this.spec.name, held, this.#slotOf)
        await settle(tx, this.spec.name, this.#slots, through, passage)
        await faults.at('delivery.settled')
      }
      if (attempt.untouched && held.length === 0) {
        attempt.end()
        await settle(store, this.spec.name, this.#slots, through, passage)
      } else if (await attempt.commit(record)) published()
    } catch (error) {
      await attempt.rollback()
      return blameCommit(error, todo)
    }
    for (const record of held) this.#blocked.hold(record)
    this.#moveTo(through)
    this.#measure(todo, startedAt)
    return undefined
  }

  async #setAside(record: LogRecord, error: unknown): Promise<void> {
    const { store, clock, logger } = this.#deps
    const waitMs = nextWaitMs(this.spec, 1)
    this.#failed.add()
    logger.warn(
      { consumer: this.spec.name, position: record.position, error: messageOf(error) },
      waitMs === null ? 'an event became a dead letter' : 'handling an event failed; it will be tried again',
    )
    await store.transaction(async (tx) => {
      await settle(tx, this.spec.name, this.#slots, record.position)
      await fail(tx, this.spec.name, { record, slot: this.#slotOf(record), attempt: 1, error, waitMs })
    })
    this.#moveTo(record.position)
    if (waitMs !== null) this.#blocked.block(record, clock.now() + waitMs)
  }

  /** Says whether anything was due. */
  async #retryAllDue(signal: AbortSignal): Promise<boolean> {
    const since = performance.now()
    let retried = false
    while (performance.now() - since < retryMs && (await this.#retryDue(signal))) retried = true
    return retried
  }

  /** Tries the first due delivery again, alone and in its own transaction. */
  async #retryDue(signal: AbortSignal): Promise<boolean> {
    const { store, clock } = this.#deps
    const due = this.#blocked.due(clock.now())
    if (due === undefined) return false
    const record = await recordOf(store, this.spec.name, due.position)
    const number = due.attempt + 1
    const failure = await this.#tryAgain(record, number, signal)
    const waitMs = failure === undefined ? null : await this.#failedAgain(failure, number)
    if (waitMs === null) this.#blocked.advance(due.key)
    else this.#blocked.retryAt(due.key, number, clock.now() + waitMs)
    return true
  }

  async #tryAgain(record: TroubledRecord, number: number, signal: AbortSignal): Promise<HandlerFailure | undefined> {
    const { store, clock, faults, member, published } = this.#deps
    const startedAt = new Date(clock.now())
    const attempt = new Attempt(store, signal, number, clock)
    try {
      await this.spec.handle([record], attempt)
    } catch (error) {
      await attempt.rollback()
      return blameHandlers(error, [record], signal) as HandlerFailure // one alone is always to blame
    }
    const { position } = record
    const passage: Passage = {
      consumer: this.spec.name,
      member: member.name,
      first: position,
      last: position,
      startedAt,
    }
    try {
      await faults.at('delivery.handled')
      const anyPublished = await attempt.commit(async (tx) => {
        await settle(tx, this.spec.name, this.#slotsOf(record), 0, passage)
        await done(tx, this.spec.name, [record])
        await faults.at('delivery.settled')
      })
      if (anyPublished) published()
    } catch (error) {
      await attempt.rollback()
      return blameCommit(error, [record]) as HandlerFailure
    }
    this.#measure([record], startedAt)
    return undefined
  }

  /** Returns how long it waits now, `null` when it is a dead letter. */
  async #failedAgain({ record, cause }: HandlerFailure, attempt: number): Promise<number | null> {
    const { store, logger } = this.#deps
    const waitMs = nextWaitMs(this.spec, attempt)
    this.#failed.add()
    logger.warn(
      { consumer: this.spec.name, position: record.position, attempt, error: messageOf(cause) },
      waitMs === null ? 'an event became a dead letter' : 'handling an event failed again',
    )
    await store.transaction(async (tx) => {
      await settle(tx, this.spec.name, this.#slotsOf(record), 0)
      await fail(tx, this.spec.name, { record, slot: this.#slotOf(record), attempt, error: cause, waitMs })
    })
    return waitMs
  }

  /** The slot that a record belongs to, as this process holds it. */
  #slotsOf(record: LogRecord): Slot[] {
    return this.#slots.filter(({ slot }) => slot === this.#slotOf(record))
  }

  #measure(records: readonly LogRecord[], startedAt: Date): void {
    const now = this.#deps.clock.now()
    this.#batch.took(now - startedAt.getTime())
    this.#handled.add(records.length)
    const [first] = records
    if (first === undefined) return
    // The first of a batch waited longest.
    const seconds = Math.max(0, now - Date.parse(first.at)) / 1000
    this.#seconds.observe(seconds, records.length)
    this.#recent.observe(seconds)
  }

  #idleMs(): number {
    if (this.#paused) return balanceMs
    return Math.min(balanceMs, this.#blocked.nextMs(this.#deps.clock.now()))
  }
}
