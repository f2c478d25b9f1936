import type { LogRecord } from '../events/record.ts'
import type { Selection } from '../events/selection.ts'
import type { Attempt } from './attempt.ts'
import type { OnFailure, ResolvedOnOptions } from './on-options.ts'
import type { RetryPolicy } from './retry-policy.ts'

/** What the delivery loop needs to know of a follower; `on`, index and the rest differ only in this. */
export interface ConsumerSpec extends RetryPolicy {
  readonly name: string
  /** What it takes of the log. */
  readonly selection: Selection
  readonly start: ResolvedOnOptions['start']
  readonly onFailure: OnFailure
  /** Events per second over the whole fleet; no limit without. */
  readonly rate: number | undefined
  /** How many records at most go to `handle` at once, and how long to wait for that many; as they come without. */
  readonly batch: { readonly size: number; readonly maxWaitMs: number } | undefined
  /** A finer choice than the selection, which only this process can make. */
  readonly matches: (record: LogRecord) => boolean
  /** Handles records in order. Whatever it does through the attempt commits with the place in the log, or not at all. */
  readonly handle: (records: readonly LogRecord[], attempt: Attempt) => Promise<void>
  /** Handles one that is given up, in place of making it a dead letter. */
  readonly fallback: ((record: LogRecord, attempt: Attempt, error: unknown) => Promise<void>) | undefined
}

/** How consumers of our own are delivered to. */
export const usualDelivery: Omit<ConsumerSpec, 'name' | 'selection' | 'handle'> = {
  start: 'beginning',
  onFailure: 'pause-key',
  rate: undefined,
  batch: undefined,
  fallback: undefined,
  attempts: 8,
  backoff: {},
  maxAgeMs: Number.POSITIVE_INFINITY,
  matches: () => true,
}
