import type { Clock } from '../kernel/clock.ts'
import type { Snapshot } from './snapshot.ts'

/** One value in memory, a link of the eviction list. `undefined` as value: known to be missing. */
export interface MemoryEntry<V> {
  readonly key: string
  readonly value: V | undefined
  /** What `get` returns on every hit: settled once, so that a hit allocates nothing. */
  readonly settled: Promise<V | undefined>
  /** What the load saw; absent on values from outside the database. */
  readonly snapshot: Snapshot | undefined
  /** `Infinity` without a time to live. */
  readonly expiresAt: number
  /** Asked for since the hand last passed. */
  visited: boolean
  newer: MemoryEntry<V> | undefined
  older: MemoryEntry<V> | undefined
}

/** What a load brings in. */
export interface MemoryValue<V> {
  readonly value: V | undefined
  readonly snapshot: Snapshot | undefined
  readonly expiresAt: number
}

/**
 * The values of one cache in this process, at most `max`. Evicts by SIEVE (Zhang et al., NSDI '24): entries stand in
 * the order they came; a hand goes from the oldest to the newest, spares what was asked for since it last passed and
 * evicts what was not. A hit only sets a flag, and a scan does not push out what is in use.
 */
export class MemoryLevel<V> {
  readonly #max: number
  readonly #clock: Clock
  readonly #entries = new Map<string, MemoryEntry<V>>()
  #newest: MemoryEntry<V> | undefined
  #oldest: MemoryEntry<V> | undefined
  #hand: MemoryEntry<V> | undefined

  constructor({ max, clock }: { max: number; clock: Clock }) {
    this.#max = max
    this.#clock = clock
  }

  get size(): number {
    return this.#entries.size
  }

  /** The entry, unless its time is over. Counts as use. */
  get(key: string): MemoryEntry<V> | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (entry.expiresAt !== Number.POSITIVE_INFINITY && entry.expiresAt <= this.#clock.now()) {
      this.#drop(entry)
      return undefined
    }
    entry.visited = true
    return entry
  }

  /** The entry whatever its age, without counting as use. */
  look(key: string): MemoryEntry<V> | undefined {
    return this.#entries.get(key)
  }

  /** Keeps a value, replacing an earlier one. Says whether another had to go for it. */
  set(key: string, { value, snapshot, expiresAt }: MemoryValue<V>): boolean {
    const before = this.#entries.get(key)
    if (before !== undefined) this.#drop(before)
    const evicted = this.#entries.size >= this.#max && this.#evict()
    const settled = Promise.resolve(value)
    const visited = before?.visited ?? false
    const entry = { key, value, settled, snapshot, expiresAt, visited, newer: undefined, older: this.#newest }
    if (this.#newest !== undefined) this.#newest.newer = entry
    this.#newest = entry
    this.#oldest ??= entry
    this.#entries.set(key, entry)
    return evicted
  }

  delete(key: string): boolean {
    const entry = this.#entries.get(key)
    if (entry !== undefined) this.#drop(entry)
    return entry !== undefined
  }

  /** Drops the entries that `stale` picks; says how many. */
  deleteWhere(stale: (entry: MemoryEntry<V>) => boolean): number {
    const before = this.size
    for (const entry of this.#entries.values()) if (stale(entry)) this.#drop(entry)
    return before - this.size
  }

  clear(): number {
    const before = this.size
    this.#entries.clear()
    this.#newest = undefined
    this.#oldest = undefined
    this.#hand = undefined
    return before
  }

  #evict(): boolean {
    let entry = this.#hand ?? this.#oldest
    while (entry?.visited === true) {
      entry.visited = false
      entry = entry.newer ?? this.#oldest
    }
    if (entry === undefined) return false
    this.#hand = entry
    this.#drop(entry) // moves the hand on
    return true
  }

  #drop(entry: MemoryEntry<V>): void {
    this.#entries.delete(entry.key)
    if (this.#hand === entry) this.#hand = entry.newer
    if (entry.newer === undefined) this.#newest = entry.older
    else entry.newer.older = entry.older
    if (entry.older === undefined) this.#oldest = entry.newer
    else entry.older.newer = entry.newer
  }
}
