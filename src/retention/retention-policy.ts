import type { EventDefinition } from '../events/event.ts'
import type { TableDefinition } from '../events/table.ts'
import { type Duration, durationMs } from '../kernel/duration.ts'
import { PlatformError } from '../kernel/errors.ts'
import { resolveOptions } from '../kernel/options.ts'

/**
 * How long the log keeps events. It is dropped in whole partitions, oldest first, once everything in one is older than
 * `keep` and every consumer has passed it. What outlives its partition: events of streams, dead letters and what waits
 * for a retry, the last change of each row of captured tables, and what is named here.
 */
export interface RetentionOptions {
  /** Age from which events may go. @default 'forever' */
  keep?: Duration | 'forever'
  /** Keep only the last event of each key of these. Events without a key all stay. @default none */
  compact?: readonly (EventDefinition | TableDefinition)[]
  /** Never drop these. @default none */
  forever?: readonly EventDefinition[]
  /** A folder: what goes is written there first, as gzipped NDJSON that `millrace restore` reads. @default none */
  archive?: string
  /** Size of a partition in events: what is dropped at once. @default 5_000_000 */
  partition?: number
  /** A partition is closed at this age, however small it is. @default a tenth of `keep`, from 1 h to 1 d */
  partitionEvery?: Duration
}

export interface RetentionPolicy {
  /** `null`: nothing is dropped. */
  readonly keepMs: number | null
  readonly compact: readonly string[]
  readonly forever: readonly string[]
  readonly archive: string | undefined
  readonly partition: number
  readonly everyMs: number | null
}

const hourMs = 3_600_000
const smallest = 1000

/** @throws OPTION_UNKNOWN, OPTION_INVALID */
export function retentionPolicy(app: string, options: RetentionOptions = {}): RetentionPolicy {
  const where = `app("${app}"): retention`
  const { keep, compact, forever, archive, partition, partitionEvery } = resolveOptions(where, defaults, options)
  if (!Number.isInteger(partition) || partition < smallest)
    throw new PlatformError('OPTION_INVALID', `${where}.partition must be a whole number from ${smallest}`)
  const keepMs = keep === 'forever' ? null : durationMs(keep)
  const everyMs = keepMs === null ? null : Math.min(24 * hourMs, Math.max(hourMs, keepMs / 10))
  return {
    keepMs,
    compact: compact.map(typeOf),
    forever: forever.map(typeOf),
    archive,
    partition,
    everyMs: partitionEvery === undefined ? everyMs : durationMs(partitionEvery),
  }
}

const defaults = {
  keep: 'forever' as Duration | 'forever',
  compact: [] as readonly (EventDefinition | TableDefinition)[],
  forever: [] as readonly EventDefinition[],
  archive: undefined as string | undefined,
  partition: 5_000_000,
  partitionEvery: undefined as Duration | undefined,
}

const typeOf = (source: EventDefinition | TableDefinition): string =>
  source.kind === 'table' ? source.changeType : source.name
