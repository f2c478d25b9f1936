import { PlatformError } from '../kernel/errors.ts'
import type { Statement } from '../store/sql.ts'
import type { Store, Transaction } from '../store/store.ts'
import type { Slot } from './slots.ts'

/** A stretch of the log that a consumer has passed. */
export interface Passage {
  readonly consumer: string
  readonly member: string
  readonly first: number
  readonly last: number
  readonly startedAt: Date
  /** `fallback`: given up by the handler, and handled by its fallback. */
  readonly outcome: 'done' | 'fallback'
}

const settleStatement: Statement = {
  name: 'millrace-settle',
  text: `with moved as (
      update millrace.consumer_slots s set position = greatest(s.position, $2), updated_at = clock_timestamp()
        from unnest($3::smallint[], $4::bigint[]) as g(slot, epoch)
       where s.consumer = $1 and s.slot = g.slot and s.epoch = g.epoch returning 1
    ), passage as (
      insert into millrace.passages (follower, member, first, last, outcome, started_at, done_at)
      select $1, $5, $6, $7, $9, $8, clock_timestamp() where $6::bigint is not null
    )
    select count(*)::int as moved from moved`,
}

/**
 * Moves the consumer's place to `position` on all given slots. In the transaction of the effects it is what makes them
 * happen once: a process that lost a slot finds another epoch there and must roll back.
 * @throws LEASE_LOST
 */
export async function settle(
  target: Store | Transaction,
  consumer: string,
  slots: readonly Slot[],
  position: number,
  passage?: Passage,
): Promise<void> {
  const [row] = await target.run<{ moved: number }>(settleStatement, [
    consumer,
    position,
    slots.map(({ slot }) => slot),
    slots.map(({ epoch }) => epoch),
    passage?.member ?? null,
    passage?.first ?? null,
    passage?.last ?? null,
    passage?.startedAt ?? null,
    passage?.outcome ?? null,
  ])
  if (row?.moved !== slots.length)
    throw new PlatformError('LEASE_LOST', `another process took over slots of ${consumer}`)
}
