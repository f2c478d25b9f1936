import type { Clock } from '../kernel/clock.ts'
import { messageOf, PlatformError } from '../kernel/errors.ts'
import { uuidv7 } from '../kernel/ids.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Statement } from './sql.ts'
import type { Store } from './store.ts'

/**
 * How long a process that stopped beating keeps its duties. One heartbeat per process carries all its leases and slots,
 * so the cost grows with processes and not with duties. Others take over within this time and the half second in which
 * they look: two seconds after a crash at the latest. A process that only stood still for longer than a second (paused, or
 * its event loop blocked) has lost its slots too and does not know it yet: it may go on handling what it had in hand, but
 * every commit of it finds another epoch and is rolled back, so nothing of that counts in Postgres; calls to the outside
 * are repeated by whoever took over.
 */
export const memberTtlMs = 1400
const beatMs = 350
/** A beat that takes longer is given up, with its connection. */
const slowBeatMs = 700

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
  const line = new BeatLine(store)
  const beat = (): Promise<unknown> => line.send(beatStatement, [id, name, memberTtlMs, served, app])
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
      await line.close()
      await store.run(leaveStatement, [id])
    },
  }
}

/** A connection for heartbeats alone: handlers that hold every connection of the pool must not let the process count as dead. */
class BeatLine {
  readonly #store: Store
  #client: Promise<Awaited<ReturnType<Store['connect']>>> | undefined

  constructor(store: Store) {
    this.#store = store
  }

  async send({ text }: Statement, values: readonly unknown[]): Promise<void> {
    this.#client ??= this.#store.connect()
    try {
      const client = await this.#client
      const beat = { text, values: [...values], query_timeout: slowBeatMs }
      await client.query(beat)
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async close(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    // One that broke has nothing left to end, one that hangs must not be waited for.
    void client?.then((line) => line.end()).catch(() => undefined)
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
