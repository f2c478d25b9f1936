import type { Statement } from '../store/sql.ts'
import type { Store, Transaction } from '../store/store.ts'
import { parseSnapshot, type SnapshotFilter } from './snapshot-filter.ts'

/** What is stored about a table of a capture. */
export interface TableState {
  readonly name: string
  /** What its copy saw; absent until it is copied. */
  readonly filter: SnapshotFilter | undefined
  /** The log has changes of it from before: the copy begins by ending those rows. */
  readonly capturedBefore: boolean
  readonly rows: number
}

const readStatement: Statement = {
  name: 'millrace-captured-tables',
  text: `select name, case when state = 'done' then snapshot::text end as snapshot, captured_before, rows_done::float8 as rows
    from millrace.captured_tables where capture = $1 and state <> 'dropped' order by name`,
}
const copiedStatement: Statement = {
  name: 'millrace-table-copied',
  text: `update millrace.captured_tables
    set state = 'done', snapshot = $3, lsn = $4, rows_done = $5, updated_at = now() where capture = $1 and name = $2`,
}
const rowsStatement: Statement = {
  name: 'millrace-table-rows',
  text: 'update millrace.captured_tables set rows_done = $3, updated_at = now() where capture = $1 and name = $2',
}

export async function readTableStates(store: Pick<Store, 'run'>, capture: string): Promise<TableState[]> {
  const rows = await store.run<{ name: string; snapshot: string | null; captured_before: boolean; rows: number }>(
    readStatement,
    [capture],
  )
  return rows.map(({ name, snapshot, captured_before: capturedBefore, rows }) => ({
    name,
    filter: snapshot === null ? undefined : parseSnapshot(snapshot),
    capturedBefore,
    rows,
  }))
}

export async function markCopied(
  tx: Transaction,
  {
    capture,
    name,
    snapshot,
    lsn,
    rows,
  }: { capture: string; name: string; snapshot: string; lsn: string; rows: number },
): Promise<void> {
  await tx.run(copiedStatement, [capture, name, snapshot, lsn, rows])
}

export async function noteRows(store: Store, capture: string, name: string, rows: number): Promise<void> {
  await store.run(rowsStatement, [capture, name, rows])
}
