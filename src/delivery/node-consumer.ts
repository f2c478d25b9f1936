import { readBounds } from '../events/read.ts'
import type { LogRecord } from '../events/record.ts'
import { systemClock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import { Wake } from '../kernel/wake.ts'
import { BatchSize } from './batch-size.ts'
import type { Blame } from './blame.ts'
import type { LoopDeps, RunningConsumer } from './consumer.ts'
import { ConsumerMeter } from './consumer-meter.ts'
import type { ConsumerSpec } from './consumer-spec.ts'
import { Intake } from './intake.ts'
import { RateLimit } from './rate-limit.ts'
import { nextWaitMs } from './retry-policy.ts'
import { carryOut } from './trial.ts'

const idleMs = 500
const restartMs = 250

/**
 * A consumer that every process runs for itself: it begins at the head of the log and keeps its place in memory only. An
 * event that fails is tried again on the spot, which keeps the order; given up, it is logged and passed over.
 */
export class NodeConsumer implements RunningConsumer {
  readonly spec: ConsumerSpec
  readonly paused = false
  readonly #deps: LoopDeps
  readonly #wake = new Wake()
  readonly #meter: ConsumerMeter
  readonly #intake: Intake
  readonly #limit: RateLimit | undefined
  #position = 0

  constructor(spec: ConsumerSpec, deps: LoopDeps) {
    this.spec = spec
    this.#deps = deps
    this.#meter = new ConsumerMeter(deps.metrics, spec.name)
    this.#intake = new Intake(spec, { feed: deps.feed, share: { awaits: () => true }, batch: new BatchSize() })
    this.#limit = spec.rate === undefined ? undefined : new RateLimit(spec.rate)
  }

  get handledTotal(): number {
    return this.#meter.handledTotal
  }

  get position(): number {
    return this.#position
  }

  /** It has no slots. */
  positionOf(): undefined {
    return undefined
  }

  latencyQuantile(q: number): number | undefined {
    return this.#meter.latencyQuantile(q)
  }

  poke(): void {
    this.#wake.poke()
  }

  review(): void {
    this.#wake.poke()
  }

  async register(): Promise<void> {
    this.#position = (await readBounds(this.#deps.store)).head
  }

  async run(signal: AbortSignal, abort: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (!(await this.#turn(signal, abort))) await this.#wake.wait(this.#idleMs(), signal)
      } catch (error) {
        if (signal.aborted) return
        this.#deps.logger.warn({ consumer: this.spec.name, error: messageOf(error) }, 'delivery starts again')
        this.#intake.drop()
        await systemClock.sleep(restartMs, signal)
      }
    }
  }

  async #turn(signal: AbortSignal, abort: AbortSignal): Promise<boolean> {
    const allowed = this.#limit?.available(1) ?? Number.POSITIVE_INFINITY
    if (allowed < 1) return false
    const stretch = await this.#intake.take(this.#position)
    if (typeof stretch === 'string') return stretch === 'more'
    const { records, through } = stretch
    const now = records.length > allowed ? records.slice(0, allowed) : records
    if (now.length < records.length) this.#intake.drop()
    this.#limit?.take(now.length)
    await this.#deliver(now, signal, abort)
    if (!signal.aborted) this.#position = now === records ? through : (now.at(-1)?.position ?? through)
    return true
  }

  async #deliver(records: readonly LogRecord[], signal: AbortSignal, abort: AbortSignal): Promise<void> {
    // One by one: what another one's failure takes back in Postgres, it does not take back in memory.
    const most = this.spec.batch?.size ?? 1
    let rest = records
    let span = Math.min(most, rest.length)
    while (rest.length > 0 && !signal.aborted) {
      const part = rest.slice(0, span)
      const blame = await this.#try(part, 1, abort)
      if (blame === undefined) {
        this.#position = part.at(-1)?.position ?? this.#position
        rest = rest.slice(part.length)
        span = Math.min(most, span * 2)
      } else if (blame === 'unclear') span = Math.ceil(part.length / 2)
      else {
        const at = rest.indexOf(blame.record)
        await this.#deliver(rest.slice(0, at), signal, abort)
        if (signal.aborted) return
        await this.#insist(blame.record, blame.cause, signal, abort)
        rest = rest.slice(at + 1)
        span = Math.min(most, rest.length)
      }
    }
  }

  /** Tries one that failed again until it succeeds or has had its tries. */
  async #insist(record: LogRecord, first: unknown, signal: AbortSignal, abort: AbortSignal): Promise<void> {
    const { clock, logger } = this.#deps
    let error = first
    for (let attempt = 1; ; attempt += 1) {
      this.#meter.failed()
      const ageMs = clock.now() - Date.parse(record.at)
      const waitMs = nextWaitMs(this.spec, { attempt, ageMs, error })
      const about = { consumer: this.spec.name, position: record.position, attempt, error: messageOf(error) }
      if (waitMs === null) return logger.error(about, 'an event was passed over: its handling failed to the last')
      logger.warn(about, 'handling an event failed; it will be tried again')
      await clock.sleep(waitMs, signal)
      if (signal.aborted) return
      const blame = await this.#try([record], attempt + 1, abort)
      if (blame === undefined || blame === 'unclear') break
      error = blame.cause
    }
    this.#position = record.position
  }

  async #try(records: readonly LogRecord[], number: number, signal: AbortSignal): Promise<Blame | undefined> {
    const blame = await carryOut(
      {
        ...{ records, number, signal, alone: true },
        handle: (attempt) => this.spec.handle(records, attempt),
        settle: async () => undefined, // the place is in memory
      },
      this.#deps,
    )
    if (blame === undefined) this.#meter.handled(records, this.#deps.clock.now())
    return blame
  }

  #idleMs(): number {
    const limited = this.#limit !== undefined && this.#limit.available(1) < 1
    return Math.min(idleMs, this.#intake.restMs, limited ? (this.#limit?.nextMs(1) ?? idleMs) : idleMs)
  }
}
