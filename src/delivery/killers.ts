import { PlatformError } from '../kernel/errors.ts'
import type { Statement } from '../store/sql.ts'
import type { Store, Transaction } from '../store/store.ts'
import type { TroubledRecord } from './deliveries.ts'

/** Processes that an event may take down while it is handled alone. */
const mostDeaths = 2

const beginStatement: Statement = {
  name: 'millrace-begin-try',
  text: `update millrace.deliveries set deaths = deaths + 1 where consumer = $1 and position = $2 and change = $3 returning deaths`,
}

/**
 * Writes down that a try begins: a crash must not grant a free retry. Returns the error of an event that has had its tries:
 * its process died each time.
 */
export async function beginTry(
  store: Store,
  consumer: string,
  record: TroubledRecord,
): Promise<PlatformError | undefined> {
  const values = [consumer, record.position, record.change]
  const [row] = await store.run<{ deaths: number }>(beginStatement, values)
  if (row === undefined || row.deaths <= mostDeaths) return undefined
  return new PlatformError(
    'HANDLER_KILLED',
    `the process died while it handled event ${record.position} alone, ${mostDeaths} times`,
  )
}

const endStatement: Statement = {
  name: 'millrace-end-try',
  text: 'update millrace.deliveries set deaths = 0 where consumer = $1 and position = $2 and deaths > 0',
}

/** The try ended, if badly: it is no killer. */
export async function endTry(tx: Transaction, consumer: string, position: number): Promise<void> {
  await tx.run(endStatement, [consumer, position])
}
