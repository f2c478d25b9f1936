import type { Logger } from '../kernel/logger.ts'
import { type Store, sqlState } from '../store/store.ts'
import { writeArchive } from './archive.ts'
import { keepRows } from './keep-rows.ts'
import { type FullPartition, oldestFullPartition } from './partitions.ts'
import type { RetentionPolicy } from './retention-policy.ts'

/** Waiting for this lock holds up everybody else on the log; somebody who reads for long is waited for another time. */
const lockTimeout = '200ms'

/** Everybody with a place in the log who must not find it dropped. */
const placesText = `
  select s.consumer as name, min(s.position) as position from millrace.consumer_slots s group by s.consumer
   order by position limit 1`

/**
 * Drops the oldest partition if it may go. Returns whether one was dropped. What must outlive it is kept first, the
 * archive is written first, and each step can be repeated: a crash in between changes nothing.
 */
export async function dropOldest(store: Store, policy: RetentionPolicy, logger: Logger): Promise<boolean> {
  if (policy.keepMs === null) return false
  const oldest = await oldestFullPartition(store)
  if (oldest === undefined || oldest.ageMs < policy.keepMs) return false
  const [slowest] = await store.sql.query<{ name: string; position: number }>(placesText)
  if (slowest !== undefined && slowest.position < oldest.lastPosition) {
    const told = { consumer: slowest.name, position: slowest.position, needed: oldest.lastPosition }
    logger.info(told, 'old events stay: a consumer has not passed them')
    return false
  }
  const [row] = await store.sql<{ tail: number }>`select tail from millrace.sequencer`
  const tail = row?.tail ?? 0
  await keepRows(store, tail, oldest.lastPosition, policy)
  if (policy.archive !== undefined && oldest.lastPosition > tail) {
    const file = await writeArchive(store, policy.archive, tail, oldest.lastPosition)
    logger.info({ file, events: oldest.lastPosition - tail }, 'old events were archived')
  }
  return drop(store, oldest, logger)
}

async function drop(store: Store, { lo, lastPosition }: FullPartition, logger: Logger): Promise<boolean> {
  try {
    await store.transaction(async (tx) => {
      await tx.client.query({ text: `set local lock_timeout = '${lockTimeout}'` })
      await tx.sql`update millrace.sequencer set tail = greatest(tail, ${lastPosition})`
      await tx.sql`delete from millrace.kept where type like 'change:%' and not restored and position <= ${lastPosition} and data->>'op' = 'delete'`
      await dropPartition(tx.client, 'events', lo)
      await tx.sql`delete from millrace.partitions where parent = 'events' and lo = ${lo}`
      const ticks = await tx.sql<{ lo: number }>`
        delete from millrace.partitions where parent = 'ticks' and hi <= ${lastPosition} returning lo`
      for (const each of ticks) await dropPartition(tx.client, 'ticks', each.lo)
    })
  } catch (error) {
    if (sqlState(error) !== '55P03') throw error
    logger.info({}, 'old events stay for now: a long transaction reads the log')
    return false
  }
  logger.info({ through: lastPosition }, 'old events were dropped')
  return true
}

/** The name is a number of ours, not input. */
async function dropPartition(
  client: { query(config: { text: string }): Promise<unknown> },
  parent: 'events' | 'ticks',
  lo: number,
) {
  await client.query({ text: `drop table millrace.${parent}_${lo}` })
}
