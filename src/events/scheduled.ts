import type { Sql, Statement } from '../store/sql.ts'
import type { Store, Transaction } from '../store/store.ts'

/** Most events of one move: thousands due at once go in several, each its own transaction. */
export const moveBatch = 1000

/** What another transaction cancels just now is left to it. */
const moveStatement: Statement = {
  name: 'millrace-move-due',
  text: `with due as (
      select id from millrace.scheduled where due_at <= $1 order by due_at, ordinal limit $2 for update skip locked
    ), gone as (
      delete from millrace.scheduled s using due where s.id = due.id
      returning s.id, s.type, s.version, s.key, s.data, s.meta, s.due_at, s.ordinal
    ), moved as (
      insert into millrace.events (id, type, version, key, data, meta)
      select id, type, version, key, data, meta from gone order by due_at, ordinal returning 1)
    select count(*)::int as moved from moved`,
}

/** Moves what is due at `now` into the log, in order of time; says how much. */
export async function moveDue(tx: Transaction, now: Date): Promise<number> {
  const [row] = await tx.run<{ moved: number }>(moveStatement, [now, moveBatch])
  return row?.moved ?? 0
}

const nextStatement: Statement = {
  name: 'millrace-next-due',
  text: 'select due_at as at from millrace.scheduled order by due_at, ordinal limit 1',
}

/** When the next event is due, in milliseconds since the Unix epoch. */
export async function nextDueMs(store: Pick<Store, 'run'>): Promise<number | undefined> {
  const [row] = await store.run<{ at: string }>(nextStatement)
  return row === undefined ? undefined : Date.parse(row.at)
}

/**
 * Takes back an event that was published for later, in the transaction of `sql`. Its own id, if it had one, is free again.
 * @param sql of the running app, of a handler or of a transaction
 * @param id what `publish` returned
 * @returns false when it is in the log already, or was never there
 */
export async function cancelScheduled(sql: Sql, id: string): Promise<boolean> {
  const rows = await sql`
    with gone as (delete from millrace.scheduled where id = ${id} returning id, once),
      freed as (delete from millrace.event_ids e using gone where e.once = gone.once)
    select id from gone`
  return rows.length > 0
}

const pruneStatement: Statement = {
  name: 'millrace-prune-event-ids',
  text: `delete from millrace.event_ids where once in (
      select once from millrace.event_ids where until <= $1 order by until limit $2 for update skip locked)
    returning 1`,
}

/** Forgets own ids whose time is up, in batches; says whether more may be left. */
export async function pruneEventIds(store: Pick<Store, 'run'>, now: Date): Promise<boolean> {
  return (await store.run(pruneStatement, [now, moveBatch])).length === moveBatch
}
