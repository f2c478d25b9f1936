import type { Clock } from '../kernel/clock.ts'
import type { Metrics } from '../kernel/metrics.ts'
import type { Store } from '../store/store.ts'
import type { CacheDefinition } from './cache-definition.ts'
import { type CacheRuntime, cacheRuntime } from './cache-runtime.ts'
import { cacheMeters } from './cache-stats.ts'
import { Fence } from './fence.ts'
import { type CacheKeys, plainKeys, rowKeys } from './key.ts'
import { Loads } from './load.ts'
import { MemoryLevel } from './memory-level.ts'
import { outsideSource } from './outside-source.ts'
import type { CacheSource } from './source.ts'
import { tableSource } from './table-source.ts'

export interface CacheRuntimeOptions {
  definition: CacheDefinition
  store: Pick<Store, 'run'>
  clock: Clock
  metrics: Metrics
}

/** Makes a declared cache run. One that follows a table is suspended until its changes are followed. */
export function createCacheRuntime({ definition, store, clock, metrics }: CacheRuntimeOptions): CacheRuntime {
  const { name, origin } = definition
  if (origin.kind === 'outside') {
    const keys = plainKeys<string | number>()
    return assemble(
      { keys, source: outsideSource(origin.load), formerKey: () => undefined, follows: false },
      { definition, clock, metrics },
    )
  }
  const { table } = origin
  return assemble(
    {
      keys: rowKeys(name, table),
      source: tableSource({ name, store, table }),
      formerKey: (before) => (table.key.every((column) => column in before) ? table.keyText(before) : undefined),
      follows: true,
    },
    { definition, clock, metrics },
  )
}

interface Kind<Id, Parsed> {
  keys: CacheKeys<Id, Parsed>
  source: CacheSource<unknown, Parsed>
  formerKey: (before: Readonly<Record<string, unknown>>) => string | undefined
  follows: boolean
}

function assemble<Id, Parsed>(
  kind: Kind<Id, Parsed>,
  { definition, clock, metrics }: Omit<CacheRuntimeOptions, 'store'>,
): CacheRuntime<unknown, Id> {
  const { name, max, ttlMs } = definition
  const level = new MemoryLevel<unknown>({ max, clock })
  const fence = new Fence()
  const meters = cacheMeters(metrics, name, () => level.size)
  const loads = new Loads<unknown, Parsed>({
    name,
    source: kind.source,
    fence,
    clock,
    keep(key, value, { snapshot, sentAt }) {
      // Its life began when it was read, not when it came.
      const expiresAt = ttlMs === undefined ? Number.POSITIVE_INFINITY : sentAt + ttlMs
      if (level.set(key, { value, snapshot, expiresAt })) meters.evictions.add()
    },
    loaded(keys, tookMs) {
      meters.loads.add(keys)
      meters.loadSeconds.observe(tookMs / 1000)
    },
  })
  return cacheRuntime({ ...kind, level, fence, loads, meters })
}
