import { PlatformError } from '../kernel/errors.ts'
import type { Statement } from '../store/sql.ts'
import type { Store } from '../store/store.ts'

/**
 * Most events of one tick row: what a reader takes at once at the least. The function behind it is in
 * store/migrations/0001_log.sql, with the reasons why it is right.
 */
const chunk = 2000

const tickStatement: Statement = { name: 'millrace-tick', text: 'select millrace.tick($1) as head' }

/**
 * Gives every event committed since the last call its position in the log: contiguous, in commit order per stream,
 * delayed by no open transaction. Safe to call from several processes at once.
 * @returns the new head, or `undefined` when nothing was new
 */
export async function tick(store: Store): Promise<number | undefined> {
  const [row] = await store.run<{ head: number | null }>(tickStatement, [chunk])
  return row?.head ?? undefined
}

const epochStatement: Statement = {
  name: 'millrace-epoch',
  text: `select pg_snapshot_xmax(pg_current_snapshot()) >= pg_snapshot_xmax(snap) as sound from millrace.sequencer`,
}

/**
 * Transaction ids start over when a database is restored into another server; the sequencer's snapshot is then from
 * another world and would hide events.
 * @throws LOG_EPOCH_CHANGED
 */
export async function checkEpoch(store: Store): Promise<void> {
  const [row] = await store.run<{ sound: boolean }>(epochStatement)
  if (row?.sound === true) return
  throw new PlatformError(
    'LOG_EPOCH_CHANGED',
    'the log was restored from another server: its transaction ids do not continue',
  )
}
