import { type ErrorRecord, errorRecord, type PlatformError } from '../kernel/errors.ts'
import type { Counter, Gauge } from '../kernel/metrics.ts'
import type { ResolvedCaptureOptions } from './capture-options.ts'
import type { CaptureState, CaptureStatus } from './capture-status.ts'
import type { TableState } from './captured-tables.ts'
import { formatLsn, type Lsn } from './lsn.ts'

/** Keeps what others may see of a capture. */
export class CaptureView {
  readonly #changes: Counter
  readonly #lag: Gauge
  #state: CaptureState = 'starting'
  #appended: Lsn | undefined
  #confirmed: Lsn | undefined
  #lagBytes = 0
  #error: ErrorRecord | undefined
  #tables = new Map<string, { copied: boolean; rows: number }>()
  /** Tables were prepared before: one that is missing now was there. */
  prepared = false
  /** Something went well since the last failure: the next one is a new one. */
  streamedSinceFailure = false

  constructor({ metrics, name, tables }: Pick<ResolvedCaptureOptions, 'metrics' | 'name' | 'tables'>) {
    this.#changes = metrics.counter('millrace_capture_changes_total', 'Changes captured into the log', {
      capture: name,
    })
    this.#lag = metrics.gauge('millrace_capture_lag_bytes', 'Write-ahead log not yet captured', { capture: name })
    for (const table of tables) this.#tables.set(table.name, { copied: false, rows: 0 })
  }

  status(): CaptureStatus {
    return {
      state: this.#state,
      appendedLsn: this.#appended === undefined ? undefined : formatLsn(this.#appended),
      confirmedLsn: this.#confirmed === undefined ? undefined : formatLsn(this.#confirmed),
      lagBytes: this.#lagBytes,
      tables: [...this.#tables].map(([name, table]) => ({ name, ...table })),
      error: this.#error,
    }
  }

  enter(state: CaptureState): void {
    this.#state = state
    if (state !== 'streaming') return
    this.#error = undefined
    this.streamedSinceFailure = true
  }

  failed(error: PlatformError): void {
    this.#state = error.retryable ? 'retrying' : 'failed'
    this.#error = errorRecord(error)
    this.streamedSinceFailure = false
  }

  tables(states: readonly TableState[]): void {
    for (const { name, filter, rows } of states) this.#tables.set(name, { copied: filter !== undefined, rows })
  }

  rows(table: string, rows: number): void {
    this.#tables.set(table, { copied: false, rows })
  }

  appended(changes: number, position: Lsn): void {
    this.#changes.add(changes)
    this.#appended = position
  }

  confirmed(position: Lsn): void {
    this.#confirmed = position
    this.#appended = position
  }

  lag(bytes: number): void {
    this.#lagBytes = bytes
    this.#lag.set(bytes)
  }
}
