import type { Statement } from '../store/sql.ts'
import type { Transaction } from '../store/store.ts'
import { storedError } from './stored-error.ts'

const stopStatement: Statement = {
  name: 'millrace-stop-consumer',
  text: `with stopped as (
      update millrace.consumers set paused = true, revision = revision + 1, stopped_by = $2 where name = $1 returning name
    ) select pg_notify('millrace_consumers', name) from stopped`,
}

/** Pauses a consumer in all processes because an event failed to the last; the row says which and why. */
export async function stopConsumer(tx: Transaction, consumer: string, position: number, error: unknown): Promise<void> {
  const { code, message } = storedError(error)
  await tx.run(stopStatement, [consumer, JSON.stringify({ position, code, message })])
}
