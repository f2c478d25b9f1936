import type { Counter, Histogram, Metrics } from '../kernel/metrics.ts'

/** What a cache did since its app started, and what it holds now. */
export interface CacheStats {
  entries: number
  hits: number
  /** Look-ups that found nothing in memory. */
  misses: number
  /** Misses that joined a load under way instead of starting one: stampedes avoided. */
  joined: number
  /** Keys loaded from the source. */
  loads: number
  /** Entries that went for want of room. */
  evictions: number
  /** Changes that came from the log. */
  invalidations: number
  /** Entries that went because of them. */
  dropped: number
  /** True while the log cannot be followed: every look-up goes to the source. */
  suspended: boolean
  /** Place in the log of the last change applied, 0 before the first. */
  position: number
}

/** The counters of one cache. */
export interface CacheMeters {
  readonly hits: Counter
  readonly misses: Counter
  readonly joined: Counter
  readonly loads: Counter
  readonly loadSeconds: Histogram
  readonly evictions: Counter
  readonly invalidations: Counter
  readonly dropped: Counter
}

export function cacheMeters(metrics: Metrics, cache: string, entries: () => number): CacheMeters {
  const labels = { cache }
  metrics.gauge('millrace_cache_entries', 'Values held in memory.', labels).set(entries)
  const counter = (name: string, help: string): Counter => metrics.counter(`millrace_cache_${name}_total`, help, labels)
  return {
    hits: counter('hits', 'Look-ups answered from memory.'),
    misses: counter('misses', 'Look-ups that found nothing in memory.'),
    joined: counter('joined', 'Misses that joined a load under way.'),
    loads: counter('loads', 'Keys loaded from the source.'),
    loadSeconds: metrics.histogram('millrace_cache_load_seconds', 'Time of one load of up to 500 keys.', labels),
    evictions: counter('evictions', 'Values that went for want of room.'),
    invalidations: counter('invalidations', 'Changes that came from the log.'),
    dropped: counter('dropped', 'Values that went because of a change.'),
  }
}
