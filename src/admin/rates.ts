import type { RatePoint } from './contract.ts'
import { ShrinkingLags } from './shrinking-lags.ts'
import type { AdminSources } from './sources.ts'

const keepPoints = 120
const everyMs = 1000

interface Totals {
  at: number
  types: Map<string, number>
  consumers: Map<string, number>
  caches: Map<string, number>
  routes: Map<string, number>
}

/** Counts once a second what this process did, from counters it has anyway; asks the store nothing. */
export class Rates {
  readonly #sources: AdminSources
  readonly #types = new Map<string, number>()
  readonly #points: RatePoint[] = []
  readonly #listeners = new Set<() => void>()
  readonly #lags = new ShrinkingLags()
  readonly #timer: NodeJS.Timeout
  readonly #unsubscribe: () => void
  #counted: number
  #samples = 0
  #before: Totals
  #now: Totals

  constructor(sources: AdminSources) {
    this.#sources = sources
    this.#counted = sources.feed.head
    this.#unsubscribe = sources.feed.subscribe({ advanced: () => this.#count(), cut() {}, resumed: () => this.#skip() })
    this.#before = this.#totals()
    this.#now = this.#before
    this.#timer = setInterval(() => this.#sample(), everyMs)
    this.#timer.unref()
  }

  /** The last two minutes, oldest first. */
  get points(): readonly RatePoint[] {
    return this.#points
  }

  /** How many samples were taken: it grows once a second. */
  get samples(): number {
    return this.#samples
  }

  /** Called after each sample. */
  onSample(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  ofType = (type: string): number => this.#rate(({ types }) => types.get(type))
  ofConsumer = (name: string): number => this.#rate(({ consumers }) => consumers.get(name))
  ofCache = (name: string): number => this.#rate(({ caches }) => caches.get(name))
  /** Milliseconds until a follower has caught up, from how its lag shrank lately; `undefined` while it does not shrink. */
  etaMs(follower: string, lag: number): number | undefined {
    return this.#lags.etaMs(follower, lag)
  }

  ofRoute = (name: string): number => this.#rate(({ routes }) => routes.get(name))

  stop(): void {
    clearInterval(this.#timer)
    this.#unsubscribe()
  }

  #count(): void {
    const { feed } = this.#sources
    for (const { type } of feed.kept(this.#counted) ?? []) this.#types.set(type, (this.#types.get(type) ?? 0) + 1)
    this.#counted = feed.head
  }

  #skip(): void {
    this.#counted = this.#sources.feed.head
  }

  #sample(): void {
    this.#samples += 1
    this.#before = this.#now
    this.#now = this.#totals()
    const isChange = (type: string): boolean => type.startsWith('change:')
    const sum = (of: (totals: Totals) => Map<string, number>, fits: (name: string) => boolean = () => true): number =>
      this.#rate((totals) => [...of(totals)].reduce((all, [name, count]) => all + (fits(name) ? count : 0), 0))
    this.#points.push({
      at: new Date(this.#now.at).toISOString(),
      published: sum(
        ({ types }) => types,
        (type) => !isChange(type),
      ),
      changes: sum(({ types }) => types, isChange),
      handled: sum(({ consumers }) => consumers),
      requests: sum(({ routes }) => routes),
    })
    if (this.#points.length > keepPoints) this.#points.shift()
    for (const listener of this.#listeners) listener()
  }

  #rate(of: (totals: Totals) => number | undefined): number {
    const seconds = (this.#now.at - this.#before.at) / 1000
    if (seconds <= 0) return 0
    return Math.round(Math.max(0, ((of(this.#now) ?? 0) - (of(this.#before) ?? 0)) / seconds) * 10) / 10
  }

  #totals(): Totals {
    const { parts, metrics, consumers, cacheStats } = this.#sources
    const lookups = (name: string): number => {
      const stats = cacheStats(name)
      return stats === undefined ? 0 : stats.hits + stats.misses
    }
    return {
      at: Date.now(),
      types: new Map(this.#types),
      consumers: new Map(consumers().map(({ name, handledTotal }) => [name, handledTotal])),
      caches: new Map(parts.caches.map(({ name }) => [name, lookups(name)])),
      routes: new Map(
        parts.routes.map(({ name, method, path }) => [
          name,
          metrics.total('millrace_http_requests_total', { method, route: path }),
        ]),
      ),
    }
  }
}
