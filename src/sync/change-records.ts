import type { ChangeOp } from '../events/change.ts'
import type { NewRecord } from '../events/record.ts'
import { uuidv7 } from '../kernel/ids.ts'
import type { OldRow, Tuple } from './pgoutput.ts'
import { keyText, type RowShape, rowJson } from './row-shape.ts'

/** A change on its way into the log. */
export interface ChangeRecord extends NewRecord {
  /** Set where a row moved to a new key and left large values behind: they are read from the table before appending. */
  readonly moved?: { shape: RowShape; row: Tuple }
}

export function insertRecord(shape: RowShape, row: Tuple, meta: string, op: ChangeOp = 'insert'): ChangeRecord {
  const unchanged = unchangedColumns(shape, row)
  return changeRecord({ op, shape, key: keyText(shape, row), row: rowJson(shape.columns, row), meta, unchanged })
}

export function deleteRecord(shape: RowShape, before: OldRow, meta: string): ChangeRecord {
  const columns = before.whole && shape.table.before ? shape.columns : shape.key
  return changeRecord({
    op: 'delete',
    shape,
    key: keyText(shape, before.row),
    before: rowJson(columns, before.row),
    meta,
  })
}

export function truncateRecord(shape: RowShape, meta: string): ChangeRecord {
  return changeRecord({ op: 'truncate', shape, key: '', meta })
}

/**
 * An update is one record; an update of the key is two, the end of the old key and the start of the new one, so that
 * each key has its own order.
 */
export function updateRecords(shape: RowShape, before: OldRow | null, row: Tuple, meta: string): ChangeRecord[] {
  if (before !== null) fillUnchanged(shape, row, before)
  const key = keyText(shape, row)
  if (before !== null && keyText(shape, before.row) !== key) {
    const arrived = insertRecord(shape, row, meta)
    return [
      deleteRecord(shape, before, meta),
      row.includes(undefined) ? { ...arrived, moved: { shape, row } } : arrived,
    ]
  }
  const was = before?.whole === true && shape.table.before ? rowJson(shape.columns, before.row) : 'null'
  const unchanged = unchangedColumns(shape, row)
  return [changeRecord({ op: 'update', shape, key, row: rowJson(shape.columns, row), before: was, meta, unchanged })]
}

interface Parts {
  op: ChangeOp
  shape: RowShape
  key: string
  row?: string
  before?: string
  meta: string
  unchanged?: readonly string[]
}

function changeRecord({ op, shape, key, row = 'null', before = 'null', meta, unchanged }: Parts): ChangeRecord {
  const head = `{"op":"${op}",${shape.tableJson},"key":${JSON.stringify(key)}`
  const tail = unchanged === undefined || unchanged.length === 0 ? '' : `,"unchanged":${JSON.stringify(unchanged)}`
  return {
    id: uuidv7(),
    type: shape.table.changeType,
    version: 1,
    key,
    data: `${head},"row":${row},"before":${before}${tail}}`,
    meta,
  }
}

/** The old row has large values in full where it has them at all: all of them, or those of the key. */
function fillUnchanged(shape: RowShape, row: Tuple, before: OldRow): void {
  if (!row.includes(undefined)) return
  for (const { index } of before.whole ? shape.columns : shape.key) {
    if (row[index] === undefined) row[index] = before.row[index]
  }
}

function unchangedColumns(shape: RowShape, row: Tuple): readonly string[] {
  if (!row.includes(undefined)) return shape.missing
  const untouched = shape.columns.filter(({ index }) => row[index] === undefined).map(({ name }) => name)
  return [...untouched, ...shape.missing]
}
