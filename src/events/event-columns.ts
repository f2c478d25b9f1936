import type { NewRecord } from './record.ts'

type Columns = [string[], string[], number[], (string | null)[], string[], (string | null)[]]

/** The columns of `records`, in the order of the statements. */
export function columnsOf(records: readonly NewRecord[]): Columns {
  const columns: Columns = [[], [], [], [], [], []]
  for (const record of records) {
    columns[0].push(record.id)
    columns[1].push(record.type)
    columns[2].push(record.version)
    columns[3].push(record.key)
    columns[4].push(record.data)
    columns[5].push(record.meta)
  }
  return columns
}
