import { append } from '../events/append.ts'
import type { GroupCommit } from '../events/group-commit.ts'
import { newRecord, type Publish } from '../events/publish.ts'
import type { EventMeta } from '../events/record.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Queryable, Sql } from '../store/sql.ts'
import type { Store } from '../store/store.ts'

/** Work whose statements and events commit together or not at all. */
export type TransactionWork<T> = (tx: { sql: Sql; publish: Publish; origin: EventMeta }) => Promise<T>

export interface PublisherDeps {
  store: Store
  group: GroupCommit
  /** The app's, for what is published for later. */
  clock: Clock
  /** Events were committed: wakes the sequencer. */
  committed: () => void
  /** Events were written in a transaction whose commit we do not see. */
  expected: () => void
}

/** The ways events get into the log from outside handlers. */
export interface Publisher {
  publish: Publish
  transaction<T>(work: TransactionWork<T>): Promise<T>
  /** The same, for everything that one outside impulse sets off. */
  from(origin: EventMeta): Publisher
}

export function makePublisher(deps: PublisherDeps, origin: EventMeta = {}): Publisher {
  const { store, group, clock, committed, expected } = deps
  const write = async (client: Queryable, ...[event, data, given = {}]: Parameters<Publish>): Promise<string> => {
    const { client: _, ...meta } = given
    const record = newRecord(event, data, { ...origin, ...meta }, clock)
    await append(client, [record])
    return record.id
  }
  return {
    async publish(event, data, given = {}) {
      const { client, ...meta } = given
      if (client !== undefined) {
        const id = await write(client, event as never, data as never, meta)
        expected()
        return id
      }
      const record = newRecord(event, data, { ...origin, ...meta }, clock)
      await group.add(record)
      return record.id
    },
    async transaction(work) {
      const result = await store.transaction((tx) =>
        work({
          sql: tx.sql,
          origin,
          publish: (event, data, given) => write(given?.client ?? tx.client, event as never, data as never, given),
        }),
      )
      committed()
      return result
    },
    from: (more) => makePublisher(deps, { ...origin, ...more }),
  }
}
