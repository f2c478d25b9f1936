import type { TableDefinition } from '../events/table.ts'
import { Binding } from '../kernel/binding.ts'
import { type Duration, durationMs } from '../kernel/duration.ts'
import { PlatformError } from '../kernel/errors.ts'
import { checkName } from '../kernel/names.ts'
import { resolveOptions } from '../kernel/options.ts'
import type { CacheRuntime } from './cache-runtime.ts'
import type { RowId } from './key.ts'

interface CacheLimits {
  /** Most values held in memory; those asked for least lately and often go first. @default 10_000 */
  max?: number
}

/** A cache of the rows of a table, kept true by its changes in the log. */
export interface TableCacheOptions<R, K extends string> extends CacheLimits {
  from: TableDefinition<R, K>
  /** Longest life of a value. Not needed for freshness. @default no end */
  ttl?: Duration
}

/** A cache of values from elsewhere, or composed of several sources. */
export interface OutsideCacheOptions<V, Id extends string | number> extends CacheLimits {
  /** Loads one value; `undefined` says that there is none, which is remembered too. */
  load: (id: Id) => Promise<V | undefined> | V | undefined
  /** Life of a value: nothing else tells when it is out of date. */
  ttl: Duration
}

/** Where the values come from. */
export type CacheOrigin =
  | { readonly kind: 'table'; readonly table: TableDefinition<unknown> }
  | { readonly kind: 'outside'; readonly load: (id: string | number) => unknown }

/** Values by key. Usable while an app that lists it runs. */
export interface CacheDefinition<V = unknown, Id = unknown> {
  readonly kind: 'cache'
  readonly name: string
  readonly origin: CacheOrigin
  readonly max: number
  readonly ttlMs: number | undefined
  /** Where the platform puts the running cache. */
  readonly binding: Binding<CacheRuntime<V, Id>>
  /**
   * The value, `undefined` when there is none. Frozen: all callers share it. INPUT_INVALID for an id that no key can
   * be, LOAD_FAILED or STORE_UNREACHABLE when the source fails.
   */
  get(id: Id): Promise<V | undefined>
  /** One value per id, in the order of the ids; what is missing is loaded together. */
  getMany(ids: readonly Id[]): Promise<(V | undefined)[]>
  /** What memory holds now, without loading. */
  peek(id: Id): V | undefined
  /** Makes the next look-up load anew. */
  evict(id: Id): Promise<void>
}

/**
 * Declares a cache.
 * @example const film = cache('film', { from: films }); await film.get(7)
 */
export function cache<R, K extends string>(
  name: string,
  options: TableCacheOptions<R, K>,
): CacheDefinition<Readonly<R>, RowId<R, K>>
export function cache<V, Id extends string | number>(
  name: string,
  options: OutsideCacheOptions<V, Id>,
): CacheDefinition<V, Id>
export function cache(
  name: string,
  options: TableCacheOptions<unknown, string> | OutsideCacheOptions<unknown, never>,
): CacheDefinition {
  checkName('cache', name)
  const { max, ttl, ...given } = resolveOptions(`cache("${name}")`, defaults, options)
  if (!Number.isSafeInteger(max) || max < 1) {
    throw new PlatformError('OPTION_INVALID', `cache "${name}": max is ${max}, it must be a whole number above 0`)
  }
  const binding = new Binding<CacheRuntime>(`cache "${name}"`)
  return {
    kind: 'cache',
    name,
    origin: originOf(name, given),
    max,
    ttlMs: ttl === undefined ? undefined : durationMs(ttl),
    binding,
    get: (id) => binding.current.get(id),
    getMany: (ids) => binding.current.getMany(ids),
    peek: (id) => binding.current.peek(id),
    evict: (id) => binding.current.evict(id),
  }
}

interface Given {
  from: TableDefinition<unknown> | undefined
  load: ((id: string | number) => unknown) | undefined
}
const defaults: Given & { max: number; ttl: Duration | undefined } = {
  from: undefined,
  load: undefined,
  max: 10_000,
  ttl: undefined,
}

function originOf(name: string, { from, load }: Given): CacheOrigin {
  if (from !== undefined && load === undefined) return { kind: 'table', table: from }
  if (load !== undefined && from === undefined) return { kind: 'outside', load }
  throw new PlatformError('OPTION_INVALID', `cache "${name}" needs either \`from\` or \`load\``)
}
