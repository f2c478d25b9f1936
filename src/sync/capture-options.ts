import type { TableDefinition } from '../events/table.ts'
import { Faults } from '../kernel/faults.ts'
import { type Logger, silentLogger } from '../kernel/logger.ts'
import { Metrics } from '../kernel/metrics.ts'
import { resolveOptions } from '../kernel/options.ts'
import type { Store, Transaction } from '../store/store.ts'

export interface CaptureOptions {
  store: Store
  tables: readonly TableDefinition[]
  /** Of the replication slot and the publication. Slots are named per server: one app in two databases needs two names. */
  name: string
  logger?: Logger
  faults?: Faults
  metrics?: Metrics
  /** Called first in every transaction that appends; throws LEASE_LOST when another process has taken over. */
  assertHeld?: (tx: Transaction) => Promise<void>
  /** Changes are in the log and committed. */
  onAppended?: () => void
  /** Copies all tables again when the slot and the log disagree, instead of stopping with CAPTURE_DIVERGED. @default false */
  resnapshot?: boolean
  /** Changes that wait at most; a larger transaction is appended in pieces. @default 5000 */
  maxRecords?: number
  /** Bytes of changes that wait at most. @default 8 MiB */
  maxBytes?: number
}

export type ResolvedCaptureOptions = Readonly<Required<CaptureOptions>>

export function resolveCaptureOptions(options: CaptureOptions): ResolvedCaptureOptions {
  return resolveOptions('capture', defaults, options)
}

const required = undefined as never
const defaults: Required<CaptureOptions> = {
  store: required,
  tables: required,
  name: required,
  logger: silentLogger,
  faults: new Faults(),
  metrics: new Metrics(),
  assertHeld: async () => {},
  onAppended() {},
  resnapshot: false,
  maxRecords: 5000,
  maxBytes: 8 * 1024 * 1024,
}
