import { systemClock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Statement } from '../store/sql.ts'
import type { Store } from '../store/store.ts'

/**
 * Who may have written to a table (or its partitions) in a transaction that is still open. As CREATE INDEX CONCURRENTLY
 * does, by the locks that writing takes and holds to the end; sessions that only read are not among them.
 */
const writersStatement: Statement = {
  name: 'millrace-capture-writers',
  text: `
    select distinct l.virtualtransaction as transaction, l.pid, a.application_name as application, a.state
      from pg_locks l left join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'relation' and l.granted
       and l.database = (select oid from pg_database where datname = current_database())
       and (l.relation = $1::oid or l.relation in (select relid from pg_partition_tree($1::oid)))
       and l.mode in ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')`,
}

interface Writer {
  transaction: string
  pid: number | null
  application: string | null
  state: string | null
}

export interface WaitOptions {
  store: Store
  logger: Logger
  signal: AbortSignal
}

const firstPauseMs = 5
const longestPauseMs = 200
const sayAfterMs = 5000

/** Resolves when every transaction that has written to the table by now has ended; later ones are not waited for. */
export async function waitForWriters(options: WaitOptions, table: { name: string; oid: number }): Promise<void> {
  const { store, logger, signal } = options
  let open = await store.run<Writer>(writersStatement, [table.oid])
  let saidAt = performance.now()
  for (let pauseMs = firstPauseMs; open.length > 0; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    await systemClock.sleep(pauseMs, signal)
    signal.throwIfAborted()
    const now = new Set((await store.run<Writer>(writersStatement, [table.oid])).map(({ transaction }) => transaction))
    open = open.filter(({ transaction }) => now.has(transaction))
    if (open.length > 0 && performance.now() - saidAt > sayAfterMs) {
      saidAt = performance.now()
      logger.warn({ table: table.name, writers: open }, 'the copy of a table waits for transactions that write to it')
    }
  }
}
