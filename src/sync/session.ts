import type { TableDefinition } from '../events/table.ts'
import { PlatformError } from '../kernel/errors.ts'
import type { Statement } from '../store/sql.ts'
import type { ResolvedCaptureOptions } from './capture-options.ts'
import type { CaptureView } from './capture-view.ts'
import type { CapturedTable } from './captured-table.ts'
import { readTableStates } from './captured-tables.ts'
import { copyTable } from './copy-table.ts'
import { follow } from './follow.ts'
import type { LiveTable } from './live-table.ts'
import { prepareSlot } from './prepare-slot.ts'
import { prepareTables } from './prepare-tables.ts'
import { preparePublication } from './publication.ts'
import { widenReplicaIdentity } from './replica-identity.ts'

/**
 * From whatever a start finds to a running stream, until the signal aborts or something breaks. Each step may be repeated
 * after a crash. The publication comes before the slot: what is decoded before a publication exists is lost.
 */
export async function runSession(
  options: ResolvedCaptureOptions,
  view: CaptureView,
  signal: AbortSignal,
): Promise<void> {
  const { store, name, tables } = options
  view.enter('starting')
  const live = await prepareTables(store, tables, { create: !view.prepared })
  view.prepared = true
  for (const table of tables) await widenReplicaIdentity(store, table, found(live, table))
  await preparePublication(store, name, tables)
  const progress = await prepareSlot({ ...options, signal })
  await options.faults.at('sync.slot-prepared')
  await copyWaiting(options, live, view, signal)
  const captured = await capturedTables(options, live, view)
  const xid = await currentTransactionId(options)
  await follow(
    {
      ...options,
      capture: name,
      tables: captured,
      progress,
      xid,
      onStreaming: () => view.enter('streaming'),
      onAppended: (changes, position) => {
        view.appended(changes, position)
        options.onAppended()
      },
      onConfirmed: (position) => view.confirmed(position),
      onLag: (bytes) => view.lag(bytes),
    },
    signal,
  )
}

/** Copies the tables that have none yet. The stream waits meanwhile; the slot keeps what happens. */
async function copyWaiting(
  options: ResolvedCaptureOptions,
  live: ReadonlyMap<string, LiveTable>,
  view: CaptureView,
  signal: AbortSignal,
): Promise<void> {
  const { store, name, tables } = options
  const states = await readTableStates(store, name)
  view.tables(states)
  for (const table of tables) {
    const state = states.find((candidate) => candidate.name === table.name)
    if (state === undefined || state.filter !== undefined) continue
    view.enter('copying')
    const onRows = (rows: number): void => view.rows(table.name, rows)
    await copyTable({ ...options, capture: name, signal, onRows }, table, found(live, table), state)
    options.onAppended()
  }
}

async function capturedTables(
  { store, name, tables }: ResolvedCaptureOptions,
  live: ReadonlyMap<string, LiveTable>,
  view: CaptureView,
): Promise<CapturedTable[]> {
  const states = await readTableStates(store, name)
  view.tables(states)
  return tables.map((table) => {
    const filter = states.find((state) => state.name === table.name)?.filter
    if (filter === undefined) throw new PlatformError('CAPTURE_FAILED', `table "${table.name}" has no copy yet`)
    return { table, live: found(live, table), filter }
  })
}

function found(live: ReadonlyMap<string, LiveTable>, { name }: TableDefinition): LiveTable {
  const table = live.get(name)
  if (table === undefined) throw new PlatformError('INTERNAL', `table "${name}" was prepared and is not there`)
  return table
}

const transactionStatement: Statement = {
  name: 'millrace-capture-xid',
  text: 'select pg_snapshot_xmax(pg_current_snapshot())::text as xid',
}

async function currentTransactionId({ store }: ResolvedCaptureOptions): Promise<number> {
  const [row] = await store.run<{ xid: string }>(transactionStatement)
  return Number(row?.xid)
}
