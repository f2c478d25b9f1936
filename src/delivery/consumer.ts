import type { Feed } from '../events/feed.ts'
import type { Stretch } from '../events/read.ts'
import type { LogRecord } from '../events/record.ts'
import { systemClock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Metrics } from '../kernel/metrics.ts'
import { Wake } from '../kernel/wake.ts'
import type { Member } from '../store/member.ts'
import type { Transaction } from '../store/store.ts'
import { BatchSize } from './batch-size.ts'
import type { Blame } from './blame.ts'
import { ConsumerMeter } from './consumer-meter.ts'
import type { ConsumerSpec } from './consumer-spec.ts'
import { Intake } from './intake.ts'
import { RateLimit } from './rate-limit.ts'
import { type Passage, settle } from './settle.ts'
import { Share } from './share.ts'
import { registerConsumer } from './slots.ts'
import { carryOut, type TrialDeps } from './trial.ts'
import { Trouble } from './trouble.ts'

export interface ConsumerDeps extends TrialDeps {
  feed: Feed
  member: Member
  logger: Logger
  metrics: Metrics
}

/** What the loop itself needs: of the feed only this. */
export type LoopDeps = Omit<ConsumerDeps, 'feed'> & { feed: Pick<Feed, 'take'> }

/** A consumer at work in this process, whichever way it shares the log with others. */
export interface RunningConsumer {
  readonly spec: ConsumerSpec
  readonly handledTotal: number
  /** Everything up to here is handled or set aside by this process; `undefined` while it has no part of it. */
  readonly position: number | undefined
  readonly paused: boolean
  positionOf(slot: number): number | undefined
  latencyQuantile(q: number): number | undefined
  poke(): void
  review(): void
  register(): Promise<void>
  run(signal: AbortSignal, abort: AbortSignal): Promise<void>
}

/** How long retries may go on before new events get their turn: what a key held back must not hold up the others. */
const retryMs = 50
/** How long to wait after a failure that is nobody's handler's. */
const restartMs = 250

/**
 * One consumer in one process: claim → handle → settle, in turns. `turn` does one piece of work; `run` only repeats it.
 */
export class Consumer implements RunningConsumer {
  readonly spec: ConsumerSpec
  readonly #deps: LoopDeps
  readonly #wake = new Wake()
  readonly #batch = new BatchSize()
  readonly #meter: ConsumerMeter
  readonly #share: Share
  readonly #trouble: Trouble
  readonly #intake: Intake
  readonly #limit: RateLimit | undefined

  constructor(spec: ConsumerSpec, deps: LoopDeps) {
    const { store, member, metrics, feed } = deps
    this.spec = spec
    this.#deps = deps
    this.#meter = new ConsumerMeter(metrics, spec.name)
    this.#share = new Share(store, member, spec.name)
    this.#trouble = new Trouble(spec, { ...deps, member: member.name, share: this.#share, meter: this.#meter })
    this.#intake = new Intake(spec, { feed, share: this.#share, batch: this.#batch })
    this.#limit = spec.rate === undefined ? undefined : new RateLimit(spec.rate)
  }

  get handledTotal(): number {
    return this.#meter.handledTotal
  }

  /** Everything up to here is handled or set aside, on the slots of this process; `undefined` while it holds none. */
  get position(): number | undefined {
    return this.#share.position
  }

  /** The place of one slot, newer than what is stored; `undefined` while this process does not hold it. */
  positionOf(slot: number): number | undefined {
    return this.#share.slots.find((mine) => mine.slot === slot)?.position
  }

  latencyQuantile(q: number): number | undefined {
    return this.#meter.latencyQuantile(q)
  }

  /** Whether it was told to stand still, as far as this process knows. */
  get paused(): boolean {
    return this.#share.paused
  }

  poke(): void {
    this.#wake.poke()
  }

  /** Looks at once whether it was paused, resumed, or its deliveries were changed by hand. */
  review(): void {
    this.#share.review()
    this.#wake.poke()
  }

  async register(): Promise<void> {
    this.#share.open(await registerConsumer(this.#deps.store, this.spec.name, this.spec.start))
  }

  /**
   * Works until `stop`; what was begun is finished first, then the slots are handed back. `abort` is what handlers see:
   * work that it breaks off is handed back, not counted as failed.
   */
  async run(signal: AbortSignal, abort: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (!(await this.turn(abort))) await this.#wake.wait(this.#idleMs(), signal)
      } catch (error) {
        // Not the handler's fault: the store failed or a slot went to another process. Start again from what is stored.
        this.#deps.logger.warn({ consumer: this.spec.name, error: messageOf(error) }, 'delivery starts again')
        this.#share.drop()
        this.#intake.drop()
        await systemClock.sleep(restartMs, signal)
      }
    }
    await this.#share.release()
  }

  /** Does the next piece of work; false when there was none. */
  async turn(signal: AbortSignal): Promise<boolean> {
    await this.#share.balance(this.#readAgain)
    const from = this.#share.position
    if (from === undefined) return false
    const retried = !this.paused && (await this.#retryAllDue(signal))
    const allowed = this.#limit?.available(this.#share.portion) ?? Number.POSITIVE_INFINITY
    if (this.paused || allowed < 1) {
      await this.#share.flush()
      return retried
    }
    const stretch = await this.#intake.take(from)
    if (stretch === 'more') return true
    if (stretch === 'none') {
      await this.#share.flush()
      return retried
    }
    await this.#pass(stretch, allowed, signal)
    return true
  }

  /** Brings the place to the end of a stretch, or as far as the rate allows. */
  async #pass({ records, through }: Stretch, allowed: number, signal: AbortSignal): Promise<void> {
    const now = records.length > allowed ? records.slice(0, allowed) : records
    const end = now === records ? through : (now.at(-1)?.position ?? through)
    if (now.length < records.length) this.#intake.drop()
    this.#limit?.take(now.length)
    if (now.length === 0) this.#share.passOver(end)
    else if (this.#share.suspect) await this.#trouble.suspect(now, end)
    else await this.#deliver(now, end, signal)
  }

  readonly #readAgain = async (): Promise<void> => {
    this.#intake.drop()
    await this.#trouble.read()
  }

  /**
   * Handles `records` and moves the place to `through`. All of it commits at once when nothing fails. A record that
   * fails is set aside with its key; those before it are committed, those after it go on.
   */
  async #deliver(records: readonly LogRecord[], through: number, signal: AbortSignal): Promise<void> {
    const most = this.spec.batch?.size ?? records.length
    let rest = records
    let span = Math.min(most, rest.length)
    while (rest.length > 0) {
      const part = rest.slice(0, span)
      const end = part.length === rest.length ? through : (part.at(-1)?.position ?? through)
      const failure = await this.#attempt(part, end, signal)
      if (failure === undefined) {
        rest = rest.slice(part.length)
        span = Math.min(most, span * 2)
      } else if (failure === 'unclear') span = Math.ceil(part.length / 2)
      else {
        const at = rest.indexOf(failure.record)
        const before = rest.slice(0, at)
        const last = before.at(-1)
        if (last !== undefined) await this.#deliver(before, last.position, signal)
        if (this.paused) return
        // An earlier one of its key may have failed this time: then it is held behind that one.
        const behind = this.#trouble.has(failure.record)
        if (!behind) await this.#trouble.setAside(failure.record, failure.cause, signal)
        // It may have stopped the consumer: what comes after is taken again when that goes on.
        if (this.paused) return
        rest = rest.slice(behind ? at : at + 1)
        span = Math.min(most, rest.length)
      }
    }
    this.#share.passOver(through)
  }

  /** One try at a batch. Returns the failure of a handler; throws when the store is at fault. */
  async #attempt(records: readonly LogRecord[], through: number, signal: AbortSignal): Promise<Blame | undefined> {
    const { clock, member } = this.#deps
    const startedAt = clock.now()
    const held = this.#trouble.empty ? [] : records.filter((record) => this.#trouble.has(record))
    const todo = held.length === 0 ? records : records.filter((record) => !this.#trouble.has(record))
    const [first, last] = [records[0], records.at(-1)]
    const passage: Passage | undefined = first &&
      last && {
        consumer: this.spec.name,
        member: member.name,
        first: first.position,
        last: last.position,
        startedAt: new Date(startedAt),
        outcome: 'done',
      }
    const blame = await carryOut(
      {
        ...{ records: todo, number: 1, signal, alone: held.length === 0 },
        handle: (attempt) => this.spec.handle(todo, attempt),
        settle: async (target) => {
          if (held.length > 0) await this.#trouble.hold(target as Transaction, held)
          await settle(target, this.spec.name, this.#share.slots, through, passage)
        },
      },
      this.#deps,
    )
    if (blame !== undefined) return blame
    this.#trouble.held(held)
    this.#share.moveTo(through)
    this.#batch.took(clock.now() - startedAt)
    this.#meter.handled(todo, clock.now())
    return undefined
  }

  /** Says whether anything was due. */
  async #retryAllDue(signal: AbortSignal): Promise<boolean> {
    const since = performance.now()
    let retried = false
    while (performance.now() - since < retryMs && !this.paused) {
      if ((this.#limit?.available(this.#share.portion) ?? 1) < 1 || !(await this.#trouble.retryDue(signal))) break
      this.#limit?.take(1)
      retried = true
    }
    return retried
  }

  #idleMs(): number {
    const limited = this.#limit !== undefined && this.#limit.available(this.#share.portion) < 1
    const work = limited ? (this.#limit?.nextMs(this.#share.portion) ?? 0) : this.#trouble.restMs
    const restMs = Math.min(this.#share.restMs, this.#intake.restMs, this.paused ? Number.POSITIVE_INFINITY : work)
    return Math.max(1, restMs)
  }
}
