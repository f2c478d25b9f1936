/** What happened to a row. `snapshot` is a row that was there when the table was first followed. */
export type ChangeOp = 'snapshot' | 'insert' | 'update' | 'delete' | 'truncate'

/** A change of one row, as it stands in the log. */
export interface Change<R = Record<string, unknown>> {
  op: ChangeOp
  table: string
  /** The row's key as text (`TableDefinition.keyText`); '' for `truncate`. */
  key: string
  /** The row after the change, by declared column; `null` after `delete` and `truncate`. */
  row: R | null
  /** The row before: whole with `before: true`, else only the key columns, and only where they changed or the row went. */
  before: Partial<R> | null
  /** Large columns that the change did not touch and the log does not carry: absent from `row`, never null. */
  unchanged?: string[]
}

/** What the log keeps beside a change. */
export interface ChangeMeta {
  /** Position of the commit in the write-ahead log, `X/Y`. For snapshots: where the snapshot was taken. */
  lsn: string
  /** The full 64-bit id of the transaction that made the change, as text; absent on snapshots. */
  xid?: string
  /** When the transaction committed, ISO 8601; absent on snapshots. */
  committedAt?: string
}
