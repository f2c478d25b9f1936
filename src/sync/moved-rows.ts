import type { Store } from '../store/store.ts'
import { type ChangeRecord, insertRecord } from './change-records.ts'
import type { Tuple } from './pgoutput.ts'
import type { RowShape } from './row-shape.ts'
import { quotePart, quoteTable } from './table-name.ts'

/**
 * Completes rows that moved to a new key and left large values behind: the stream does not carry those again, and under
 * the new key nobody has them. They are read from the table as it is now. That may be later than the change, which is
 * harmless: whatever changed them since comes later in the stream; and where the row is gone, so does its end.
 */
export async function completeMoved(store: Store, records: readonly ChangeRecord[]): Promise<readonly ChangeRecord[]> {
  if (!records.some(({ moved }) => moved !== undefined)) return records
  const completed: ChangeRecord[] = []
  for (const record of records) completed.push(await completeOne(store, record))
  return completed
}

async function completeOne(store: Store, record: ChangeRecord): Promise<ChangeRecord> {
  if (record.moved === undefined || record.meta === null) return record
  const { shape, row } = record.moved
  const absent = shape.columns.filter(({ index }) => row[index] === undefined)
  const values = await readColumns(store, shape, row, absent)
  if (values === undefined) return record
  absent.forEach(({ index }, i) => {
    row[index] = values[i]
  })
  return { ...insertRecord(shape, row, record.meta), id: record.id }
}

async function readColumns(
  store: Store,
  { table, key }: RowShape,
  row: Tuple,
  columns: readonly { name: string }[],
): Promise<Tuple | undefined> {
  const where = key.map(({ name }, i) => `${quotePart(name)} = $${i + 1}`).join(' and ')
  const text = `select ${columns.map(({ name }) => quotePart(name)).join(', ')} from ${quoteTable(table)} where ${where}`
  const result = await store.withClient((client) =>
    client.query<Tuple>({ text, values: key.map(({ index }) => row[index]), rowMode: 'array', types: asText }),
  )
  return result.rows[0]
}

const asText = { getTypeParser: () => (text: string) => text }
