import { PlatformError } from '../kernel/errors.ts'
import type { Statement } from '../store/sql.ts'
import type { Store, Transaction } from '../store/store.ts'
import { formatLsn, type Lsn, parseLsn } from './lsn.ts'

/** How far a slot has been read into the log. */
export interface Progress {
  /** Every transaction that committed before this is in the log. */
  readonly position: Lsn
  /** Of the transaction that committed here, the first so many changes are in the log too. */
  readonly partial: { readonly commitLsn: Lsn; readonly changes: number } | undefined
}

export interface CaptureRow {
  systemIdentifier: string
  progress: Progress
}

const loadStatement: Statement = {
  name: 'millrace-capture-load',
  text: `select system_identifier, position::text, partial_lsn::text, partial_changes from millrace.captures where name = $1`,
}
const createStatement: Statement = {
  name: 'millrace-capture-create',
  text: 'insert into millrace.captures (name, system_identifier, position) values ($1, $2, $3)',
}
// Compared with what was read or written last: two processes can never append the same changes. A database that does not
// wait for the disk by default has to here, since the slot is confirmed next.
const advanceStatement: Statement = {
  name: 'millrace-capture-advance',
  text: `update millrace.captures set position = $2, partial_lsn = $3, partial_changes = $4, updated_at = now()
    where name = $1 and position = $5 and partial_changes is not distinct from $6
    returning case when current_setting('synchronous_commit') = 'off' then set_config('synchronous_commit', 'on', true) end`,
}

export async function loadProgress(store: Pick<Store, 'run'>, name: string): Promise<CaptureRow | undefined> {
  const [row] = await store.run<StoredRow>(loadStatement, [name])
  if (row === undefined) return undefined
  const { position, partial_lsn: lsn, partial_changes: changes } = row
  const partial = lsn === null || changes === null ? undefined : { commitLsn: parseLsn(lsn), changes: Number(changes) }
  return { systemIdentifier: row.system_identifier, progress: { position: parseLsn(position), partial } }
}

interface StoredRow {
  system_identifier: string
  position: string
  partial_lsn: string | null
  partial_changes: number | string | null
}

export async function createProgress(store: Pick<Store, 'run'>, name: string, row: CaptureRow): Promise<void> {
  await store.run(createStatement, [name, row.systemIdentifier, formatLsn(row.progress.position)])
}

/** @throws LEASE_LOST when another process has moved on from `from` */
export async function advanceProgress(tx: Transaction, name: string, from: Progress, to: Progress): Promise<void> {
  const rows = await tx.run(advanceStatement, [
    name,
    formatLsn(to.position),
    to.partial === undefined ? null : formatLsn(to.partial.commitLsn),
    to.partial?.changes ?? null,
    formatLsn(from.position),
    from.partial?.changes ?? null,
  ])
  if (rows.length === 0) throw new PlatformError('LEASE_LOST', `another process reads the slot "${name}"`)
}
