import type { Change } from '../events/change.ts'
import type { CacheMeters, CacheStats } from './cache-stats.ts'
import type { Fence } from './fence.ts'
import type { CacheKeys } from './key.ts'
import type { Loads } from './load.ts'
import type { MemoryLevel } from './memory-level.ts'
import { sees } from './snapshot.ts'
import type { CacheSource } from './source.ts'

/** A change as it comes from the log, with the transaction that made it. */
export interface CacheInvalidation {
  readonly change: Pick<Change, 'op' | 'key' | 'before'>
  /** The full 64-bit transaction id as text; absent on rows of a first snapshot. */
  readonly xid: string | undefined
  readonly position: number
}

/**
 * A running cache. No value loaded before an invalidation is returned to a caller who asks after `invalidate` was
 * called with it.
 */
export interface CacheRuntime<V = unknown, Id = unknown> {
  /** The value, from memory or loaded; `undefined` when there is none. Values are frozen: all callers share them. */
  get(id: Id): Promise<V | undefined>
  /** One value per id, in the order of the ids; what is missing is loaded together. */
  getMany(ids: readonly Id[]): Promise<(V | undefined)[]>
  /** What memory holds, without loading: `undefined` also when nothing is known. */
  peek(id: Id): V | undefined
  /** Makes the next look-up in this process load anew. */
  evict(id: Id): Promise<void>
  /** Applies changes in the order of the log; says how many entries went. Does nothing for a cache of outside values. */
  invalidate(changes: readonly CacheInvalidation[]): number
  /** Drops everything and keeps nothing of the loads under way: changes may have been missed. */
  reset(): void
  /**
   * The log cannot be followed: like `reset`, and until `resume` every look-up goes to the source. Entries do not wait
   * for the feed to come back, because a server that crashed may give out again transaction ids that a snapshot counts
   * as finished.
   */
  suspend(): void
  /** The log is followed again, from a place not after the one where `suspend` was called. A new cache is suspended. */
  resume(): void
  stats(): CacheStats
  /** Fails the look-ups that wait, then resolves when no load is under way. */
  close(): Promise<void>
}

export interface CacheParts<V, Id, Parsed> {
  keys: CacheKeys<Id, Parsed>
  /** The key of a row as its change tells it from before; `undefined` when it tells too little. */
  formerKey: (before: Readonly<Record<string, unknown>>) => string | undefined
  /** Whether the log tells when values change. Without it they live until evicted or expired. */
  follows: boolean
  level: MemoryLevel<V>
  fence: Fence
  loads: Loads<V, Parsed>
  source: CacheSource<V, Parsed>
  meters: CacheMeters
}

export function cacheRuntime<V, Id, Parsed>(parts: CacheParts<V, Id, Parsed>): CacheRuntime<V, Id> {
  const { keys, formerKey, follows, level, fence, loads, source, meters } = parts
  let suspended = false
  let position = 0
  let probing = false

  const miss = (id: Id): Promise<V | undefined> => {
    let parsed: { key: string; id: Parsed }
    try {
      parsed = keys.parse(id)
    } catch (error) {
      return Promise.reject(error)
    }
    // Its text may have been another spelling of a key that is here.
    const entry = level.get(parsed.key)
    if (entry !== undefined) {
      meters.hits.add()
      return entry.settled
    }
    meters.misses.add()
    const joined = loads.joinable(parsed.key)
    if (joined === undefined) return loads.start(parsed)
    meters.joined.add()
    return joined
  }

  const get = (id: Id): Promise<V | undefined> => {
    const entry = level.get(keys.textOf(id))
    if (entry === undefined) return miss(id)
    meters.hits.add()
    return entry.settled
  }

  const dropKey = (key: string, xid: number | undefined): number => {
    loads.overtake(key)
    if (xid !== undefined) fence.changed(key, xid)
    return stale(level.look(key)?.snapshot, xid) && level.delete(key) ? 1 : 0
  }

  const dropAll = (xid: number | undefined): number => {
    loads.overtakeAll()
    if (xid !== undefined) fence.changedAll(xid)
    return level.deleteWhere(({ snapshot }) => stale(snapshot, xid))
  }

  const apply = ({ change, xid: text }: CacheInvalidation): number => {
    const xid = text === undefined ? undefined : Number(text)
    if (change.op === 'truncate') return dropAll(xid)
    const former = change.before === null ? undefined : formerKey(change.before)
    const dropped = dropKey(change.key, xid)
    return former === undefined || former === change.key ? dropped : dropped + dropKey(former, xid)
  }

  /** Without loads nothing tells the fence what it may forget, so it asks. */
  const probe = async (): Promise<void> => {
    probing = true
    try {
      const snapshot = await source.snapshot()
      if (snapshot !== undefined) fence.seen(snapshot)
    } catch {
      // The database does not answer: loads fail too and say so; the next change asks again.
    } finally {
      probing = false
    }
  }

  const reset = (): void => {
    loads.overtakeAll()
    level.clear()
  }

  const runtime: CacheRuntime<V, Id> = {
    get,
    getMany: (ids) => Promise.all(ids.map(get)),
    peek: (id) => level.get(keys.textOf(id))?.value,
    async evict(id) {
      const { key } = keys.parse(id)
      loads.overtake(key)
      level.delete(key)
    },
    invalidate(changes) {
      if (!follows) return 0
      let dropped = 0
      for (const change of changes) {
        dropped += apply(change)
        position = change.position
      }
      meters.invalidations.add(changes.length)
      meters.dropped.add(dropped)
      if (fence.crowded && !probing) void probe()
      return dropped
    },
    reset,
    suspend() {
      if (!follows) return
      suspended = true
      loads.keeping = false
      fence.forgetKeys()
      reset()
    },
    resume() {
      suspended = false
      loads.keeping = true
    },
    stats: () => ({
      entries: level.size,
      hits: meters.hits.value,
      misses: meters.misses.value,
      joined: meters.joined.value,
      loads: meters.loads.value,
      evictions: meters.evictions.value,
      invalidations: meters.invalidations.value,
      dropped: meters.dropped.value,
      suspended,
      position,
    }),
    async close() {
      await loads.close()
      level.clear()
    },
  }
  runtime.suspend()
  return runtime
}

/** Whether a value loaded with this snapshot misses the change of this transaction. Where either is unknown, it may. */
function stale(snapshot: Parameters<typeof sees>[0] | undefined, xid: number | undefined): boolean {
  return snapshot === undefined || xid === undefined || !sees(snapshot, xid)
}
