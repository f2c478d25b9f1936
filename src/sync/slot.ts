import { messageOf, PlatformError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Statement } from '../store/sql.ts'
import type { Store } from '../store/store.ts'
import { type Lsn, parseLsn } from './lsn.ts'

/** A replication slot as Postgres shows it. */
export interface Slot {
  /** It is one of this database, for pgoutput. */
  ours: boolean
  database: string | null
  confirmed: Lsn
  /** Postgres has dropped log that it still needed. */
  lost: boolean
  /** Process that streams from it now. */
  activePid: number | null
  /** Application name of that process. */
  activeName: string | null
}

export interface Server {
  systemIdentifier: string
  walLevel: string
  slot: Slot | undefined
}

const serverStatement: Statement = {
  name: 'millrace-capture-server',
  text: `
    select (select system_identifier::text from pg_control_system()) as "systemIdentifier",
           current_setting('wal_level') as "walLevel", s.slot_name is not null as exists, s.database,
           s.database = current_database() and s.plugin = 'pgoutput' as ours,
           s.confirmed_flush_lsn::text as confirmed, s.wal_status = 'lost' as lost,
           s.active_pid as "activePid", a.application_name as "activeName"
      from (select) one
      left join pg_replication_slots s on s.slot_name = $1
      left join pg_stat_activity a on a.pid = s.active_pid`,
}

type ServerRow = { systemIdentifier: string; walLevel: string; exists: boolean; confirmed: string | null } & Omit<
  Slot,
  'confirmed'
>

export async function readServer(store: Pick<Store, 'run'>, slotName: string): Promise<Server> {
  const [row] = await store.run<ServerRow>(serverStatement, [slotName])
  if (row === undefined) throw new PlatformError('INTERNAL', 'Postgres described itself with no row')
  const { systemIdentifier, walLevel, exists, confirmed, ...slot } = row
  const read = { ...slot, ours: slot.ours === true, lost: slot.lost === true, confirmed: parseLsn(confirmed ?? '0/0') }
  return { systemIdentifier, walLevel, slot: exists ? read : undefined }
}

const sayEveryMs = 5000

/**
 * Creates the slot. Postgres waits for every transaction that has written anything to end first, in all databases: only
 * then can it decode all that follows. Who is waited for is logged.
 */
export async function createSlot(store: Store, name: string, { signal, logger }: SlotWait): Promise<Lsn> {
  const client = await store.connect()
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  const pid = rows[0]?.pid ?? 0
  const abort = (): void => run(cancel(store, pid), logger)
  const waiting = setInterval(() => run(sayWhoIsOpen(store, pid, logger), logger), sayEveryMs)
  signal.addEventListener('abort', abort, { once: true })
  try {
    signal.throwIfAborted()
    const created = await client.query<{ lsn: string }>(
      `select lsn::text from pg_create_logical_replication_slot($1, 'pgoutput')`,
      [name],
    )
    return parseLsn(created.rows[0]?.lsn ?? '0/0')
  } finally {
    clearInterval(waiting)
    signal.removeEventListener('abort', abort)
    await client.end()
  }
}

export interface SlotWait {
  signal: AbortSignal
  logger: Logger
}

async function cancel(store: Store, pid: number): Promise<void> {
  await store.sql`select pg_cancel_backend(${pid})`
}

async function sayWhoIsOpen(store: Store, pid: number, logger: Logger): Promise<void> {
  const open = await store.sql`
    select pid, datname as database, application_name as application, state, xact_start as since
      from pg_stat_activity where backend_xid is not null and pid <> ${pid} order by xact_start limit 10`
  logger.warn({ open }, 'the new replication slot waits for open transactions to end')
}

/** Side work whose failure must not stop the main one, nor go unseen. */
function run(work: Promise<void>, logger: Logger): void {
  work.catch((error: unknown) => logger.warn({ error: messageOf(error) }, 'waiting for a replication slot'))
}

export async function dropSlot(store: Store, name: string): Promise<void> {
  await store.sql`select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = ${name}`
}
