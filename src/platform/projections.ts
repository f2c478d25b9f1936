import { Consumer, type ConsumerDeps } from '../delivery/consumer.ts'
import { on } from '../delivery/on.ts'
import { specOf } from '../delivery/spec-of.ts'
import type { EventDefinition } from '../events/event.ts'
import { readBounds } from '../events/read.ts'
import type { LogRecord } from '../events/record.ts'
import { systemClock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import { Wake } from '../kernel/wake.ts'
import {
  consumerOf,
  hasReached,
  prepareProjection,
  readGenerations,
  rebuildProjection,
  switchOver,
  tableOf,
} from '../streams/generations.ts'
import type { ProjectionDefinition } from '../streams/projection.ts'

/** How often to look whether something is complete, and whether another process began something. */
const busyMs = 200
const idleMs = 2000
/** Places in the log are stored once a second where nothing is handled. */
const momentMs = 2500

interface AtWork {
  readonly consumer: Consumer
  readonly end: AbortController
  readonly ended: Promise<void>
}

/**
 * Keeps the projections of this app: each generation has a consumer of its own. A new one is built beside the one that
 * serves and takes its place when it has caught up.
 */
export class Projections {
  readonly #definitions: readonly ProjectionDefinition[]
  readonly #deps: ConsumerDeps
  readonly #wake = new Wake()
  readonly #atWork = new Map<string, AtWork>()
  readonly #targets = new Map<string, { head: number; at: number }>()
  #building = false

  constructor(definitions: readonly ProjectionDefinition[], deps: ConsumerDeps) {
    this.#definitions = definitions
    this.#deps = deps
  }

  /** Those of the generations that serve or are built. */
  get consumers(): Consumer[] {
    return [...this.#atWork.values()].map(({ consumer }) => consumer)
  }

  poke(): void {
    for (const { consumer } of this.#atWork.values()) consumer.poke()
  }

  review(name: string): void {
    for (const { consumer } of this.#atWork.values()) if (name === '' || consumer.spec.name === name) consumer.review()
  }

  /** Begins what is new, before anything runs. */
  async prepare(): Promise<void> {
    for (const definition of this.#definitions) await prepareProjection(this.#deps.store, definition)
  }

  async rebuild(name: string): Promise<boolean> {
    const definition = this.#definitions.find((known) => known.name === name)
    if (definition === undefined) return false
    await rebuildProjection(this.#deps.store, definition)
    this.#wake.poke()
    return true
  }

  async run(stop: AbortSignal, abort: AbortSignal): Promise<void> {
    if (this.#definitions.length === 0) return
    while (!stop.aborted) {
      await this.#look(stop, abort).catch((error: unknown) =>
        this.#deps.logger.warn({ error: messageOf(error) }, 'looking after projections failed; it is tried again'),
      )
      await this.#wake.wait(this.#building ? busyMs : idleMs, stop)
    }
    await Promise.all([...this.#atWork.keys()].map((name) => this.#leave(name)))
  }

  async #look(stop: AbortSignal, abort: AbortSignal): Promise<void> {
    const { store, logger } = this.#deps
    const stored = await readGenerations(
      store,
      this.#definitions.map(({ name }) => name),
    )
    const wanted = new Map<string, () => Promise<void>>()
    for (const { name, live, liveVersion, building, buildingVersion } of stored) {
      const definition = this.#definitions.find((known) => known.name === name)
      if (definition === undefined) continue
      // Other versions are kept by processes that have their code.
      const want = (generation: number): void => {
        wanted.set(consumerOf(name, generation), () => this.#takeUp(definition, generation, stop, abort))
      }
      if (live !== null && liveVersion === definition.version) want(live)
      if (building !== null && buildingVersion === definition.version) want(building)
    }
    for (const name of this.#atWork.keys()) if (!wanted.has(name)) await this.#leave(name)
    for (const [name, takeUp] of wanted) if (!this.#atWork.has(name)) await takeUp()
    const inWork = stored.flatMap(({ name, building }) => (building === null ? [] : [{ name, building }]))
    this.#building = inWork.length > 0
    for (const { name, building } of inWork)
      if (await this.#hasCaughtUp(name, building))
        if (await switchOver(store, name, building))
          logger.info({ projection: name }, 'the projection shows its new version')
  }

  /** The head of the log never waits: caught up is who reaches where it was a moment ago. */
  async #hasCaughtUp(name: string, generation: number): Promise<boolean> {
    const now = systemClock.now()
    const key = consumerOf(name, generation)
    const target = this.#targets.get(key)
    if (target !== undefined) {
      if (!(await hasReached(this.#deps.store, name, generation, target.head))) return false
      if (now - target.at < momentMs) return true
    }
    this.#targets.set(key, { head: (await readBounds(this.#deps.store)).head, at: now })
    return false
  }

  async #takeUp(
    definition: ProjectionDefinition,
    generation: number,
    stop: AbortSignal,
    abort: AbortSignal,
  ): Promise<void> {
    const name = consumerOf(definition.name, generation)
    const { logger } = this.#deps
    const spec = specOf(consumerDefinition(definition, generation), logger)
    const prefix = definition.stream === undefined ? '' : `${definition.stream}:`
    // Streams of another kind may hold the same types of events.
    const matches = (record: LogRecord): boolean => prefix === '' || record.key?.startsWith(prefix) === true
    const consumer = new Consumer({ ...spec, name, matches }, this.#deps)
    await consumer.register()
    const end = new AbortController()
    const ended = consumer.run(AbortSignal.any([stop, end.signal]), abort).catch((error: unknown) => {
      logger.debug({ projection: definition.name, error: messageOf(error) }, 'its slots run out by themselves')
    })
    this.#atWork.set(name, { consumer, end, ended })
  }

  async #leave(name: string): Promise<void> {
    const work = this.#atWork.get(name)
    this.#atWork.delete(name)
    work?.end.abort()
    await work?.ended
  }
}

function consumerDefinition(definition: ProjectionDefinition, generation: number): ReturnType<typeof on> {
  const { name, events, stream, handle } = definition
  const table = tableOf(name, generation)
  const types = new Map(Object.entries(events).map(([type, event]) => [event.name, type]))
  return on(
    `projection-${generation}`,
    Object.values(events) as EventDefinition[],
    { start: 'beginning' },
    ({ type, data, key, id, position, at, sql }) => {
      const ownKey = stream === undefined || key === null ? key : key.slice(stream.length + 1)
      const event = { type: types.get(type) ?? type, data, key: ownKey, id, position, at }
      return handle({ event: event as never, sql, table })
    },
  )
}
