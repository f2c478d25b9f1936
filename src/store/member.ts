import type { Clock } from '../kernel/clock.ts'
import { messageOf, PlatformError } from '../kernel/errors.ts'
import { uuidv7 } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Statement } from './sql.ts'
import type { Store } from './store.ts'

/**
 * How long a process that stopped beating keeps its duties. One heartbeat per process carries all its leases and slots,
 * so the cost grows with processes and not with duties.
 */
export const memberTtlMs = 3000
const beatMs = 750

const beatStatement: Statement = {
  name: 'millrace-beat',
  text: `insert into millrace.members (id, name, until, consumers, app) values ($1, $2, now() + $3 * interval '1 ms', $4, $5)
    on conflict (id) do update set until = excluded.until, consumers = excluded.consumers`,
}
const leaveStatement: Statement = { name: 'millrace-leave', text: 'delete from millrace.members where id = $1' }
const buryStatement: Statement = {
  name: 'millrace-bury',
  text: `delete from millrace.members where until < now() - interval '1 minute'`,
}

/** SQL condition: the member in `column` is alive. */
export const alive = (column: string): string =>
  `exists (select from millrace.members m where m.id = ${column} and m.until > now())`

/** This process, as the fleet sees it. */
export interface Member {
  readonly id: string
  readonly name: string
  /** Says which consumers it runs: their slots are shared out among the members that do. */
  serve(consumers: readonly string[]): Promise<void>
  /** Stops beating and gives up all duties at once. */
  leave(): Promise<void>
}

/**
 * Enters this process among the living. One database serves one app: two would read each other's tables and consumers.
 * @throws APP_CONFLICT while a process of another app is alive there
 */
export async function joinFleet(
  store: Store,
  { app, name }: { app: string; name: string },
  { clock, logger }: { clock: Clock; logger: Logger },
): Promise<Member> {
  const id = uuidv7()
  const leaving = new AbortController()
  let served: readonly string[] = []
  const beat = (): Promise<unknown> => store.run(beatStatement, [id, name, memberTtlMs, served, app])
  await refuseOthers(store, app)
  await beat()
  await store.run(buryStatement)
  const beating = (async () => {
    while (!leaving.signal.aborted) {
      await clock.sleep(beatMs, leaving.signal)
      if (leaving.signal.aborted) return
      // A missed beat loses duties, never data: whoever takes over raises the epoch.
      await beat().catch((error: unknown) => logger.warn({ error: messageOf(error) }, 'the heartbeat failed'))
    }
  })()
  return {
    id,
    name,
    async serve(consumers) {
      served = consumers
      await beat()
    },
    async leave() {
      leaving.abort()
      await beating
      await store.run(leaveStatement, [id])
    },
  }
}

/** Forgets every member: only for a store that provably nobody else uses, so that a restart need not wait for a TTL. */
export async function forgetMembers(store: Store): Promise<void> {
  await store.sql`delete from millrace.members`
}

async function refuseOthers(store: Store, app: string): Promise<void> {
  const [other] = await store.sql<{ app: string; name: string }>`
    select app, name from millrace.members where until > now() and app <> ${app} limit 1`
  if (other === undefined) return
  throw new PlatformError('APP_CONFLICT', `the database is in use by the app "${other.app}" (${other.name})`)
}
