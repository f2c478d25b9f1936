import type { Snapshot } from './snapshot.ts'

/** A key as the cache keeps it, and as the caller gave it. */
export interface Wanted<Id> {
  readonly key: string
  readonly id: Id
}

/** What one load brought. A wanted key that is not among the values does not exist. */
export interface Loaded<V> {
  readonly values: ReadonlyMap<string, V>
  /** Taken with the values in one statement; absent where there is no database behind it. */
  readonly snapshot: Snapshot | undefined
}

/** Where the values of a cache come from. */
export interface CacheSource<V, Id> {
  /** Most keys that one load takes. */
  readonly maxKeys: number
  /** Most loads under way at once. */
  readonly concurrency: number
  load(wanted: readonly Wanted<Id>[]): Promise<Loaded<V>>
  /** The snapshot of a reader that reads now; `undefined` where there is no database behind it. */
  snapshot(): Promise<Snapshot | undefined>
  /** Whether the failure is due to a key, so that loading the keys one by one fails only that one. */
  blamesKey(error: unknown): boolean
}
