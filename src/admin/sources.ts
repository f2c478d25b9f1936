import type { CacheDefinition } from '../cache/cache-definition.ts'
import type { CacheStats } from '../cache/cache-stats.ts'
import type { ConsumerDefinition } from '../delivery/on.ts'
import type { EventDefinition } from '../events/event.ts'
import type { Feed } from '../events/feed.ts'
import type { Publish } from '../events/publish.ts'
import type { TableDefinition } from '../events/table.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Metrics } from '../kernel/metrics.ts'
import type { IndexDefinition } from '../search/index-definition.ts'
import type { Store } from '../store/store.ts'
import type { Check } from './contract.ts'

/** What the app declares, by kind. */
export interface AdminParts {
  readonly tables: readonly TableDefinition[]
  readonly events: readonly EventDefinition[]
  readonly consumers: readonly ConsumerDefinition[]
  readonly caches: readonly CacheDefinition[]
  readonly indexes: readonly IndexDefinition[]
  readonly routes: readonly { readonly name: string; readonly method: string; readonly path: string }[]
}

/** A consumer at work in this process; indexes are kept by one named `index:<name>`. */
export interface RunningConsumer {
  readonly name: string
  /** The place of one slot, newer than what is stored; `undefined` while this process does not hold it. */
  positionOf(slot: number): number | undefined
  readonly handledTotal: number
  /** Seconds from publish to handled. */
  latencyQuantile(q: number): number | undefined
}

/** Where the console's answers come from; the platform fills it. */
export interface AdminSources {
  readonly app: string
  readonly environment: 'development' | 'production'
  readonly version: string
  readonly parts: AdminParts
  readonly store: Store
  readonly feed: Feed
  readonly metrics: Metrics
  readonly clock: Clock
  readonly logger: Logger
  readonly startedAt: Date
  readonly memberName: string
  readonly publish: Publish
  /** Where the retention writes what it drops. */
  readonly archive: string | undefined
  consumers(): readonly RunningConsumer[]
  cacheStats(name: string): CacheStats | undefined
  /** Position up to which the caches of this process have followed. */
  cachePosition(): number
  checks(): Promise<Check[]>
}
