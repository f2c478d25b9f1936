import { append } from '../events/append.ts'
import type { Faults } from '../kernel/faults.ts'
import type { Store, Transaction } from '../store/store.ts'
import type { Batch } from './assemble.ts'
import { copyRecords, copyText } from './copy-records.ts'
import { completeMoved } from './moved-rows.ts'
import { advanceProgress, type Progress } from './progress.ts'

/** COPY is faster for many rows but takes more round trips: few rows, which somebody waits for, go in by one statement. */
const copyFrom = 200

export interface AppendOptions {
  store: Store
  capture: string
  faults: Faults
  assertHeld(tx: Transaction): Promise<void>
}

/** Appends changes and notes how far that is, together: after any crash the log and the note agree. */
export async function appendBatch(options: AppendOptions, from: Progress, batch: Batch): Promise<void> {
  const { store, capture, faults, assertHeld } = options
  const records = await completeMoved(store, batch.records)
  await faults.at('sync.batch-taken')
  await store.transaction(async (tx) => {
    await assertHeld(tx)
    if (records.length < copyFrom) await append(tx.client, records)
    else await copyRecords(tx, [copyText(records)])
    await advanceProgress(tx, capture, from, batch.progress)
    await faults.at('sync.batch-copied')
  })
  await faults.at('sync.batch-appended')
}

/** Notes that nothing of interest happened up to `to`. */
export async function appendNothing(
  { store, capture, assertHeld }: AppendOptions,
  from: Progress,
  to: Progress,
): Promise<void> {
  await store.transaction(async (tx) => {
    await assertHeld(tx)
    await advanceProgress(tx, capture, from, to)
  })
}
