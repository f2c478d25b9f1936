import { createHash } from 'node:crypto'
import type { TableDefinition } from '../events/table.ts'
import type { Faults } from '../kernel/faults.ts'
import type { Metrics } from '../kernel/metrics.ts'
import { assertHeld, type Lease } from '../store/lease.ts'
import { type Capture, startCapture } from '../sync/capture.ts'
import type { CaptureStatus } from '../sync/capture-status.ts'
import { type DutyDeps, runDuty } from './duty.ts'
import type { StoreLocation } from './running-app.ts'

export interface CaptureDutyOptions extends DutyDeps {
  faults: Faults
  metrics: Metrics
  slot: string
  /** Copies the tables again when slot and log disagree, which on a server of our own nobody else need decide. */
  resnapshot: boolean
  tables: readonly TableDefinition[]
  appended: () => void
}

/** Runs change capture in one process of the fleet, and knows how it stands while that is this one. */
export class CaptureDuty {
  readonly #options: CaptureDutyOptions
  #capture: Capture | undefined

  constructor(options: CaptureDutyOptions) {
    this.#options = options
  }

  run(stop: AbortSignal): Promise<void> {
    return runDuty('capture', this.#options, stop, (lease, signal) => this.#work(lease, signal))
  }

  /** `undefined` while another process captures. */
  status(): CaptureStatus | undefined {
    return this.#capture?.status()
  }

  async #work(lease: Lease, signal: AbortSignal): Promise<void> {
    const { store, tables, slot, resnapshot, logger, faults, metrics, appended } = this.#options
    const capture = startCapture({
      store,
      tables,
      name: slot,
      resnapshot,
      logger,
      faults,
      metrics,
      assertHeld: (tx) => assertHeld(tx, lease),
      onAppended: appended,
    })
    this.#capture = capture
    try {
      await Promise.race([aborted(signal), capture.ended])
    } finally {
      await capture.stop()
      this.#capture = undefined
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** Slots belong to the whole server, so the name says which database of it, too. At most 63 of [a-z0-9_]. */
export function slotName(app: string, location: StoreLocation): string {
  const database = location.kind === 'url' ? decodeURIComponent(new URL(location.url).pathname.slice(1)) : 'millrace'
  const name = `millrace_${app}_${database}`.toLowerCase().replace(/[^a-z0-9_]/g, '_')
  if (name.length <= 63) return name
  return `${name.slice(0, 52)}_${createHash('sha256').update(name).digest('hex').slice(0, 10)}`
}
