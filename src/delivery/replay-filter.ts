import type { EventMeta, LogRecord } from '../events/record.ts'

/** Which events of what a consumer follows are handled again. `null` chooses all. */
export interface ReplayFilter {
  /** The first position. */
  readonly fromPosition: number
  /** The last one. */
  readonly untilPosition: number
  readonly correlation: string | null
  readonly key: string | null
  /** Exact type, or a prefix ending in `*`. */
  readonly type: string | null
}

export function replayMatcher(filter: ReplayFilter): (record: LogRecord) => boolean {
  const { fromPosition, untilPosition, correlation, key, type } = filter
  const prefix = type?.endsWith('*') === true ? type.slice(0, -1) : undefined
  return (record) => {
    if (record.position < fromPosition || record.position > untilPosition) return false
    if (key !== null && record.key !== key) return false
    if (prefix !== undefined ? !record.type.startsWith(prefix) : type !== null && record.type !== type) return false
    return correlation === null || correlationOf(record) === correlation
  }
}

/** What an event belongs to; one that nothing set off is the root of its own. */
export function correlationOf({ id, meta }: Pick<LogRecord, 'id' | 'meta'>): string {
  return (meta === null ? undefined : (JSON.parse(meta) as EventMeta).correlation) ?? id
}
