import { postgresSearch } from '../adapters/postgres-search/postgres-search.ts'
import { createCacheRuntime } from '../cache/open-cache.ts'
import { Consumer, type ConsumerDeps, type RunningConsumer } from '../delivery/consumer.ts'
import { type ConsumerSpec, usualDelivery } from '../delivery/consumer-spec.ts'
import { NodeConsumer } from '../delivery/node-consumer.ts'
import { specOf } from '../delivery/spec-of.ts'
import { selectTypes } from '../events/selection.ts'
import { changeType } from '../events/table.ts'
import { indexChanges } from '../search/index-changes.ts'
import type { IndexDefinition } from '../search/index-definition.ts'
import type { SearchEngine } from '../search/search-engine.ts'
import type { Store } from '../store/store.ts'
import type { Parts } from './app-definition.ts'
import type { FollowedCache } from './cache-follower.ts'

/** A running index and the consumer that keeps it true. */
export interface FollowedIndex {
  definition: IndexDefinition
  engine: SearchEngine
}

export function openCaches(parts: Parts, platform: object, deps: ConsumerDeps): FollowedCache[] {
  return parts.caches.map((definition) => {
    const runtime = createCacheRuntime({ definition, store: deps.store, clock: deps.clock, metrics: deps.metrics })
    definition.binding.bind(platform, runtime)
    return { definition, runtime }
  })
}

export async function closeCaches(caches: readonly FollowedCache[], platform: object): Promise<void> {
  for (const { definition, runtime } of caches) {
    definition.binding.unbind(platform)
    await runtime.close()
  }
}

export function openIndexes(parts: Parts, platform: object, { store, logger, metrics }: ConsumerDeps): FollowedIndex[] {
  return parts.indexes.map((definition) => {
    const engine = postgresSearch({ store, shape: definition.shape, logger, metrics })
    definition.binding.bind(platform, engine)
    return { definition, engine }
  })
}

/** Makes the storage of each index ready; one that is new or was declared anew starts from the beginning of the log. */
export async function prepareIndexes(indexes: readonly FollowedIndex[], store: Store): Promise<void> {
  for (const { definition, engine } of indexes) {
    await store.transaction(async (tx) => {
      const { rebuild } = await engine.prepare(tx)
      if (!rebuild) return
      const consumer = indexConsumer(definition)
      await tx.sql`update millrace.consumer_slots set position = 0, epoch = epoch + 1, owner = null where consumer = ${consumer}`
      await tx.sql`delete from millrace.deliveries where consumer = ${consumer}`
    })
  }
}

export async function closeIndexes(indexes: readonly FollowedIndex[], platform: object): Promise<void> {
  for (const { definition, engine } of indexes) {
    definition.binding.unbind(platform)
    await engine.close()
  }
}

export const indexConsumer = (definition: { name: string }): string => `index:${definition.name}`

/** The consumers of an app: those declared with `on`, and one for each index. */
export function makeConsumers(parts: Parts, indexes: readonly FollowedIndex[], deps: ConsumerDeps): RunningConsumer[] {
  return [
    ...parts.consumers.map((definition) => {
      const spec = specOf(definition, deps.logger)
      return definition.options.eachNode ? new NodeConsumer(spec, deps) : new Consumer(spec, deps)
    }),
    ...indexes.map((index) => new Consumer(indexSpec(index), deps)),
  ]
}

function indexSpec({ definition, engine }: FollowedIndex): ConsumerSpec {
  return {
    name: indexConsumer(definition),
    selection: selectTypes([changeType(definition.from.name)]),
    ...usualDelivery,
    handle: async (records, attempt) => indexChanges({ definition, engine }, await attempt.transaction(), records),
  }
}
