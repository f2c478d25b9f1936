import type { LogRecord } from '../events/record.ts'
import type { Selection } from '../events/selection.ts'
import type { Backoff } from '../kernel/backoff.ts'
import type { Attempt } from './attempt.ts'

/** What the delivery loop needs to know of a follower; `on`, index and the rest differ only in this. */
export interface ConsumerSpec {
  readonly name: string
  /** What it takes of the log. */
  readonly selection: Selection
  readonly start: 'now' | 'beginning'
  readonly concurrency: number
  readonly timeoutMs: number
  readonly attempts: number
  readonly backoff: Backoff
  /** A finer choice than by type. */
  readonly matches: (record: LogRecord) => boolean
  /** Handles records in order. Whatever it does through the attempt commits with the place in the log, or not at all. */
  readonly handle: (records: readonly LogRecord[], attempt: Attempt) => Promise<void>
}
