import type { ErrorRecord } from '../kernel/errors.ts'

/**
 * `copying` takes over tables that were declared now, `streaming` is how it should be, `retrying` waits after a failure
 * that may pass, `failed` after one that somebody has to mend (it looks again now and then).
 */
export type CaptureState = 'starting' | 'copying' | 'streaming' | 'retrying' | 'failed' | 'stopped'

/** How change capture is doing. Positions are `X/Y` in the write-ahead log. */
export interface CaptureStatus {
  readonly state: CaptureState
  /** Every change before this is in the log. */
  readonly appendedLsn: string | undefined
  /** Postgres may drop its log before this. */
  readonly confirmedLsn: string | undefined
  /** Log of Postgres that the slot still holds back, as of the last look a few seconds ago. */
  readonly lagBytes: number
  /** Tables, and how many rows their copies have. */
  readonly tables: readonly { readonly name: string; readonly copied: boolean; readonly rows: number }[]
  /** Why it is `retrying` or `failed`. */
  readonly error: ErrorRecord | undefined
}
