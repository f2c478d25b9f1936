import type { CacheDefinition } from '../cache/cache-definition.ts'
import type { CacheInvalidation, CacheRuntime } from '../cache/cache-runtime.ts'
import type { Change, ChangeMeta } from '../events/change.ts'
import type { Feed } from '../events/feed.ts'
import type { LogRecord } from '../events/record.ts'
import type { TableDefinition } from '../events/table.ts'
import type { Clock } from '../kernel/clock.ts'

/** A stretch of the log that a cache of this process has passed. */
export interface CachePassage {
  follower: string
  first: number
  last: number
  startedAt: number
  doneAt: number
}

export interface FollowedCache {
  definition: CacheDefinition
  runtime: CacheRuntime
}

/**
 * Keeps the memory caches of this process true to the log. They follow the feed directly, in every process, and keep no
 * place of their own: a cache that may have missed something starts empty.
 */
export class CacheFollower {
  readonly #feed: Feed
  readonly #clock: Clock
  readonly #passed: (passage: CachePassage) => void
  readonly #byType: Map<string, FollowedCache[]>
  readonly #all: readonly FollowedCache[]
  #position = 0
  #unsubscribe: (() => void) | undefined

  constructor(
    caches: readonly FollowedCache[],
    deps: { feed: Feed; clock: Clock; passed: (passage: CachePassage) => void },
  ) {
    this.#feed = deps.feed
    this.#clock = deps.clock
    this.#passed = deps.passed
    this.#all = caches
    this.#byType = new Map()
    for (const cache of caches) {
      const { origin } = cache.definition
      if (origin.kind !== 'table') continue
      const type = (origin.table as TableDefinition).changeType
      this.#byType.set(type, [...(this.#byType.get(type) ?? []), cache])
    }
  }

  get position(): number {
    return this.#position
  }

  start(): void {
    this.#unsubscribe = this.#feed.subscribe({
      advanced: () => this.#advance(),
      cut: () => {
        for (const { runtime } of this.#all) runtime.suspend()
      },
      resumed: () => {
        this.#position = this.#feed.head
        for (const { runtime } of this.#all) runtime.resume()
      },
    })
  }

  stop(): void {
    this.#unsubscribe?.()
  }

  #advance(): void {
    const records = this.#feed.kept(this.#position)
    if (records === undefined) {
      // The feed dropped what we had not seen: nothing in memory can be trusted.
      for (const { runtime } of this.#all) runtime.reset()
      this.#position = this.#feed.head
      return
    }
    const last = records.at(-1)
    if (last === undefined) return
    this.#position = last.position
    for (const [type, caches] of this.#byType) {
      const changes = records.filter((record) => record.type === type)
      if (changes.length > 0) this.#invalidate(caches, changes)
    }
  }

  #invalidate(caches: readonly FollowedCache[], records: readonly LogRecord[]): void {
    const invalidations = records.map(toInvalidation)
    for (const { definition, runtime } of caches) {
      const startedAt = this.#clock.now()
      runtime.invalidate(invalidations)
      const [first, last] = [records[0], records.at(-1)]
      if (first === undefined || last === undefined) continue
      this.#passed({
        follower: `cache:${definition.name}`,
        first: first.position,
        last: last.position,
        startedAt,
        doneAt: this.#clock.now(),
      })
    }
  }
}

function toInvalidation(record: LogRecord): CacheInvalidation {
  const meta = record.meta === null ? {} : (JSON.parse(record.meta) as Partial<ChangeMeta>)
  return { change: JSON.parse(record.data) as Change, xid: meta.xid, position: record.position }
}
