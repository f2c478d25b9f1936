import { systemClock } from '../kernel/clock.ts'
import { PlatformError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Store, Transaction } from '../store/store.ts'
import { formatLsn } from './lsn.ts'
import { type CaptureRow, createProgress, loadProgress, type Progress } from './progress.ts'
import { createSlot, dropSlot, readServer, type Server, type Slot } from './slot.ts'

export interface PrepareSlotOptions {
  store: Store
  /** Of the slot and the capture. */
  name: string
  /** Starts over when the slot and the log disagree, instead of refusing. */
  resnapshot: boolean
  assertHeld(tx: Transaction): Promise<void>
  logger: Logger
  signal: AbortSignal
}

/**
 * Makes sure that the slot goes on exactly where the log ends, creating both at the first start, and that nobody else
 * reads it.
 * @throws CAPTURE_DIVERGED when changes between the two are lost, unless `resnapshot` is set
 * @throws STORE_UNSUITABLE when Postgres cannot have such a slot
 */
export async function prepareSlot(options: PrepareSlotOptions): Promise<Progress> {
  const { store, name, logger } = options
  const server = await readServer(store, name)
  checkServer(server, name)
  const stored = await loadProgress(store, name)
  if (stored === undefined) return startOver(options, server)
  const divergence = diverged(server, stored)
  if (divergence === undefined) {
    await freeSlot(options)
    return stored.progress
  }
  if (!options.resnapshot) {
    throw new PlatformError('CAPTURE_DIVERGED', `capture "${name}" cannot go on: ${divergence}`, {
      hint: startOverHint,
    })
  }
  logger.warn({ capture: name, divergence }, 'capture starts over: all tables are copied again')
  return startOver(options, server)
}

const startOverHint = 'Changes may be lost. Start with `resnapshot` to copy all tables again.'

function checkServer({ walLevel, slot }: Server, name: string): void {
  if (walLevel !== 'logical') {
    throw new PlatformError('STORE_UNSUITABLE', `wal_level of Postgres is "${walLevel}", changes need "logical"`, {
      hint: "Run: alter system set wal_level = 'logical'; then restart Postgres.",
    })
  }
  if (slot !== undefined && !slot.ours) {
    const where = slot.database === null ? 'is a physical one' : `belongs to database "${slot.database}"`
    throw new PlatformError('STORE_UNSUITABLE', `the replication slot "${name}" ${where}`, {
      hint: `Give the app another name, or run: select pg_drop_replication_slot('${name}')`,
    })
  }
}

/** Why log and slot do not fit together; `undefined` when they do. */
function diverged({ systemIdentifier, slot }: Server, stored: CaptureRow): string | undefined {
  if (systemIdentifier !== stored.systemIdentifier) return 'this is another Postgres server than before'
  if (slot === undefined) return 'its replication slot is gone'
  if (slot.lost) return 'Postgres dropped log that was not read yet (max_slot_wal_keep_size)'
  const { position } = stored.progress
  if (slot.confirmed <= position) return undefined
  return `its slot stands at ${formatLsn(slot.confirmed)}, but the log only has changes up to ${formatLsn(position)}`
}

/** Safe to repeat after a crash at any line: without a stored position, a slot is what is left of an earlier try. */
async function startOver(options: PrepareSlotOptions, server: Server): Promise<Progress> {
  const { store, name } = options
  await forget(options)
  if (server.slot !== undefined) {
    await freeSlot(options)
    await dropSlot(store, name)
  }
  const progress: Progress = { position: await createSlot(store, name, options), partial: undefined }
  await createProgress(store, name, { systemIdentifier: server.systemIdentifier, progress })
  return progress
}

function forget({ store, name, assertHeld }: PrepareSlotOptions): Promise<void> {
  return store.transaction(async (tx) => {
    await assertHeld(tx)
    await tx.sql`delete from millrace.captures where name = ${name}`
    await tx.sql`
      update millrace.captured_tables set state = 'waiting', captured_before = captured_before or state = 'done', rows_done = 0
       where capture = ${name} and state <> 'dropped'`
  })
}

/** What our connections that stream call themselves, so that a successor knows one. */
export function streamName(capture: string): string {
  return `millrace capture ${capture}`.slice(0, 63)
}

const freeAttempts = 100
const freePauseMs = 50

/**
 * Ends what our predecessor left streaming: Postgres may take a while to notice that a killed process is gone. The lease
 * says that it has no business there any more.
 */
async function freeSlot({ store, name, assertHeld, signal }: PrepareSlotOptions): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { slot } = await readServer(store, name)
    if (slot === undefined || slot.activePid === null) return
    if (slot.activeName !== streamName(name) || attempt > freeAttempts) throw slotHeld(name, slot)
    await store.transaction(async (tx) => {
      await assertHeld(tx)
      await tx.sql`select pg_terminate_backend(${slot.activePid})`
    })
    await systemClock.sleep(freePauseMs, signal)
    signal.throwIfAborted()
  }
}

function slotHeld(name: string, { activeName, activePid }: Slot): PlatformError {
  return new PlatformError('CAPTURE_FAILED', `slot "${name}" is read by "${activeName}" (process ${activePid})`, {
    hint: `It is tried again; to end that connection, run: select pg_terminate_backend(${activePid})`,
  })
}
