import { Consumer, type ConsumerDeps } from '../delivery/consumer.ts'
import type { ConsumerSpec } from '../delivery/consumer-spec.ts'
import type { ConsumerDefinition } from '../delivery/on.ts'
import { ReplayFeed } from '../delivery/replay-feed.ts'
import { replayMatcher } from '../delivery/replay-filter.ts'
import { replayConsumer, replayPrefix } from '../delivery/replay-name.ts'
import {
  countReplayed,
  endReplay,
  isTroubled,
  keepPace,
  replaysAtWork,
  type StoredReplay,
  stopFailedReplay,
} from '../delivery/replays.ts'
import { specOf } from '../delivery/spec-of.ts'
import { systemClock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import { Wake } from '../kernel/wake.ts'

/** How often to look for replays, while there are none and while some are at work. */
const idleMs = 2000
const busyMs = 250
const paceMs = 1000

interface AtWork {
  readonly replay: StoredReplay
  readonly consumer: Consumer
  readonly feed: ReplayFeed
  readonly end: AbortController
  readonly ended: Promise<void>
  measured: { at: number; handled: number; position: number }
}

/**
 * Works on the replays of this app. Each is a consumer of its own with one slot, so one process of the fleet has it at a
 * time and another takes over when that one dies. Every process keeps all of them ready for that.
 */
export class Replays {
  readonly #definitions: readonly ConsumerDefinition[]
  readonly #deps: ConsumerDeps
  readonly #wake = new Wake()
  readonly #atWork = new Map<number, AtWork>()

  constructor(definitions: readonly ConsumerDefinition[], deps: ConsumerDeps) {
    this.#definitions = definitions
    this.#deps = deps
  }

  /** Somebody changed something about a consumer; '' when it is not known which. */
  review(name: string): void {
    if (name !== '' && !name.startsWith(replayPrefix)) return
    for (const { consumer } of this.#atWork.values()) if (name === '' || consumer.spec.name === name) consumer.review()
    this.#wake.poke()
  }

  /** The time of the app jumped: something may be due. */
  poke(): void {
    for (const { consumer } of this.#atWork.values()) consumer.poke()
  }

  /** Works until `stop`; `abort` is what handlers see. */
  async run(stop: AbortSignal, abort: AbortSignal): Promise<void> {
    const { logger } = this.#deps
    while (!stop.aborted) {
      await this.#look(stop, abort).catch((error: unknown) =>
        logger.warn({ error: messageOf(error) }, 'looking after replays failed; it is tried again'),
      )
      await this.#wake.wait(this.#atWork.size === 0 ? idleMs : busyMs, stop)
    }
    await Promise.all([...this.#atWork.values()].map((work) => this.#leave(work)))
  }

  /** Takes up what is new, leaves what has ended, and ends or stops what has come to that. */
  async #look(stop: AbortSignal, abort: AbortSignal): Promise<void> {
    const { store } = this.#deps
    const replays = await replaysAtWork(store)
    for (const [id, work] of this.#atWork) if (!replays.some((replay) => replay.id === id)) await this.#leave(work)
    for (const replay of replays) {
      const work = this.#atWork.get(replay.id) ?? (await this.#takeUp(replay, stop, abort))
      if (work?.consumer.position === undefined) continue // another process has it
      await this.#measure(work)
      if (replay.state !== 'running') continue
      if (replay.onFailure === 'stop' && (await stopFailedReplay(store, replay.id))) continue
      if (await endReplay(store, replay.id)) this.#wake.poke()
    }
  }

  async #takeUp(replay: StoredReplay, stop: AbortSignal, abort: AbortSignal): Promise<AtWork | undefined> {
    const definition = this.#definitions.find(({ name }) => name === replay.consumer)
    if (definition === undefined) return undefined // this process runs other code
    const spec = specOf(definition, this.#deps.logger, String(replay.id))
    const end = new AbortController()
    const matches = replayMatcher(replay)
    const feed = new ReplayFeed({
      feed: this.#deps.feed,
      matches: (record) => matches(record) && spec.matches(record),
      untilPosition: replay.untilPosition,
      rate: replay.rate,
      mayGoOn: replay.onFailure === 'stop' ? async () => !(await isTroubled(this.#deps.store, replay.id)) : null,
      ready: () => consumer.poke(),
    })
    const consumer: Consumer = new Consumer(replaySpec(spec, replay.id), { ...this.#deps, feed })
    await consumer.register()
    const ended = consumer.run(AbortSignal.any([stop, end.signal]), abort).catch((error: unknown) => {
      this.#deps.logger.debug({ replay: replay.id, error: messageOf(error) }, 'its slot runs out by itself')
    })
    const measured = { at: systemClock.now(), handled: 0, position: replay.fromPosition }
    const work = { replay, consumer, feed, end, ended, measured }
    this.#atWork.set(replay.id, work)
    return work
  }

  async #leave(work: AtWork): Promise<void> {
    this.#atWork.delete(work.replay.id)
    work.end.abort()
    work.feed.close()
    await work.ended
  }

  async #measure({ replay, consumer, measured }: AtWork): Promise<void> {
    const now = systemClock.now()
    const seconds = (now - measured.at) / 1000
    if (seconds * 1000 < paceMs) return
    const position = Math.max(measured.position, consumer.position ?? 0)
    const [speed, pace] = [consumer.handledTotal - measured.handled, position - measured.position]
    Object.assign(measured, { at: now, handled: consumer.handledTotal, position })
    await keepPace(this.#deps.store, replay.id, speed / seconds, pace / seconds)
  }
}

/** The consumer's own handling, counted in the transaction of its effects. */
function replaySpec(spec: ConsumerSpec, id: number): ConsumerSpec {
  const { handle, fallback } = spec
  return {
    ...spec,
    name: replayConsumer(id),
    start: 'beginning',
    // What is replayed is old by nature.
    maxAgeMs: Number.POSITIVE_INFINITY,
    async handle(records, attempt) {
      await handle(records, attempt)
      if (records.length > 0) await countReplayed(await attempt.transaction(), id, records.length)
    },
    fallback:
      fallback &&
      (async (record, attempt, error) => {
        await fallback(record, attempt, error)
        await countReplayed(await attempt.transaction(), id, 1)
      }),
  }
}
