import type { Statement } from '../store/sql.ts'
import type { Transaction } from '../store/store.ts'

/** Who does something by hand, and why. */
export interface Signature {
  readonly by: string
  readonly reason: string | null
}

const noteStatement: Statement = {
  name: 'millrace-note-intervention',
  text: 'insert into millrace.interventions (by, action, consumer, reason, what) values ($1, $2, $3, $4, $5)',
}

/** Writes down what somebody did about a whole consumer or replay. */
export async function note(
  tx: Transaction,
  action: string,
  consumer: string,
  signed: Signature,
  what?: unknown,
): Promise<void> {
  const values = [signed.by, action, consumer, signed.reason, what === undefined ? null : JSON.stringify(what)]
  await tx.run(noteStatement, values)
}

const tellStatement: Statement = {
  name: 'millrace-tell-consumers',
  text: `with told as (update millrace.consumers set revision = revision + 1 where name = any($1::text[]) returning name)
    select pg_notify('millrace_consumers', name) from told`,
}

/** Makes the processes that run these consumers look again at what is stored of them, once this commits. */
export async function tell(tx: Transaction, consumers: readonly string[]): Promise<void> {
  // In one order whoever does it: two that tell the same ones at once must not wait for each other.
  for (const consumer of [...new Set(consumers)].sort()) await tx.run(tellStatement, [[consumer]])
}

const pauseStatement: Statement = {
  name: 'millrace-pause-consumer',
  text: 'update millrace.consumers set paused = $2, stopped_by = null where name = $1 returning name',
}

/** Lets a consumer stand still or go on, on all processes. Says whether there is such a consumer. */
export async function setPaused(tx: Transaction, consumer: string, paused: boolean): Promise<boolean> {
  const rows = await tx.run(pauseStatement, [consumer, paused])
  await tell(tx, [consumer])
  return rows.length > 0
}
