import type { LogRecord } from '../events/record.ts'

/** What stands for one key at the end of a stretch of the log. */
export interface LatestChange {
  readonly id: string
  readonly record: LogRecord
  /** `null` when the row is gone. */
  readonly row: Record<string, unknown> | null
  /** Columns that `row` lacks because the change did not touch them. */
  readonly unchanged: readonly string[]
}
