import type pg from 'pg'
import type { TableDefinition } from '../events/table.ts'
import type { Faults } from '../kernel/faults.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Store, Transaction } from '../store/store.ts'
import { markCopied, noteRows, type TableState } from './captured-tables.ts'
import { insertRecord, truncateRecord } from './change-records.ts'
import { copyRecords, copyText } from './copy-records.ts'
import type { LiveTable } from './live-table.ts'
import type { Tuple } from './pgoutput.ts'
import { refreshPublication } from './publication.ts'
import { compileShape, type RowShape } from './row-shape.ts'
import { quotePart, quoteTable } from './table-name.ts'
import { textSettings } from './text-settings.ts'
import { waitForWriters } from './writers.ts'

export interface CopyTableOptions {
  store: Store
  capture: string
  logger: Logger
  faults: Faults
  signal: AbortSignal
  assertHeld(tx: Transaction): Promise<void>
  onRows(rows: number): void
}

/**
 * Appends the rows of a table as they stand, in step with the stream and without holding up anybody who writes: whoever
 * wrote before the table was published has ended and is in the copy; whoever writes after is in the stream, and the
 * snapshot tells which of those are in the copy as well. All of it is one transaction, so a crash leaves none of it.
 */
export async function copyTable(
  options: CopyTableOptions,
  table: TableDefinition,
  live: LiveTable,
  state: TableState,
): Promise<void> {
  const { store, capture, faults, assertHeld } = options
  // Read before the look at the writers: everything the copy does not see commits after this position.
  const [here] = await store.sql<{ lsn: string }>`select pg_current_wal_insert_lsn()::text as lsn`
  await waitForWriters(options, { name: table.name, oid: live.oid })
  await refreshPublication(store, capture)
  const reader = await store.connect()
  try {
    const snapshot = await openSnapshot(reader, source(table, live))
    const lsn = here?.lsn ?? ''
    await faults.at('sync.snapshot-taken')
    await store.transaction(async (tx) => {
      await tx.sql`select set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true)`
      const rows = new RowCount(options, table.name)
      await copyRecords(tx, copyChunks({ reader, table, live, lsn, rows, state }))
      await faults.at('sync.table-copied')
      // Last, so that a long copy does not hold the lease's row all along.
      await assertHeld(tx)
      await markCopied(tx, { capture, name: table.name, snapshot, lsn, rows: rows.value })
    })
    await faults.at('sync.table-appended')
  } finally {
    await reader.end()
  }
}

/** Opens the transaction whose snapshot decides what the copy has. */
async function openSnapshot(reader: pg.Client, from: string): Promise<string> {
  for (const setting of textSettings) await reader.query(setting)
  await reader.query('set statement_timeout = 0; set idle_in_transaction_session_timeout = 0')
  // A policy would hide rows silently: with this it is an error.
  await reader.query('set row_security = off')
  await reader.query('begin isolation level repeatable read read only')
  // Before the snapshot: a TRUNCATE between that and the first read would empty the copy of rows that the snapshot sees.
  await reader.query(`lock table ${from} in access share mode`)
  const { rows } = await reader.query<{ snapshot: string }>('select pg_current_snapshot()::text as snapshot')
  return rows[0]?.snapshot ?? ''
}

interface Copy {
  reader: pg.Client
  table: TableDefinition
  live: LiveTable
  lsn: string
  rows: RowCount
  state: TableState
}

async function* copyChunks({ reader, table, live, lsn, rows, state }: Copy): AsyncGenerator<string> {
  const { sql, shape } = selection(table, live)
  const meta = JSON.stringify({ lsn })
  if (state.capturedBefore) yield copyText([truncateRecord(shape, meta)])
  for await (const batch of readAll(reader, sql)) {
    yield copyText(batch.map((row) => insertRecord(shape, row, meta, 'snapshot')))
    await rows.add(batch.length)
  }
}

/** The declared columns in their declared order, and how such rows are written. */
function selection(table: TableDefinition, live: LiveTable): { sql: string; shape: RowShape } {
  const names = Object.keys(table.fields)
  const incoming = names.map((name) => ({ name, type: live.columns.get(name)?.baseType ?? 25 }))
  const sql = `select ${names.map(quotePart).join(', ')} from ${source(table, live)}`
  return { sql, shape: compileShape(table, incoming) }
}

/** Tables that inherit from it are tables of their own; partitions are not. */
function source(table: TableDefinition, { partitioned }: LiveTable): string {
  return `${partitioned ? '' : 'only '}${quoteTable(table)}`
}

const fetchRows = 2000
const asText = { getTypeParser: () => (text: string) => text }

/** Rows as text, read ahead by one batch: Postgres reads while we write. */
async function* readAll(reader: pg.Client, sql: string): AsyncGenerator<Tuple[]> {
  await reader.query(`declare millrace_copy no scroll cursor for ${sql}`)
  const fetch = async (): Promise<Tuple[]> => {
    const result = await reader.query<Tuple>({
      text: `fetch ${fetchRows} from millrace_copy`,
      rowMode: 'array',
      types: asText,
    })
    return result.rows
  }
  let next = fetch()
  for (;;) {
    const batch = await next
    if (batch.length === 0) return
    next = fetch()
    next.catch(() => undefined) // awaited in the next round, if there is one
    yield batch
  }
}

const noteEveryMs = 1000

/** Counts copied rows and lets them be seen while the copy's own transaction is open. */
class RowCount {
  readonly #options: CopyTableOptions
  readonly #table: string
  #notedAt: number
  value = 0

  constructor(options: CopyTableOptions, table: string) {
    this.#options = options
    this.#table = table
    this.#notedAt = performance.now()
  }

  async add(rows: number): Promise<void> {
    const { store, capture, onRows, signal } = this.#options
    signal.throwIfAborted()
    this.value += rows
    onRows(this.value)
    if (performance.now() - this.#notedAt < noteEveryMs) return
    this.#notedAt = performance.now()
    await noteRows(store, capture, this.#table, this.value)
  }
}
