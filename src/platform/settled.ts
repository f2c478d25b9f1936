import type { RunningConsumer } from '../delivery/consumer.ts'
import { tick } from '../events/sequence.ts'
import type { Clock } from '../kernel/clock.ts'
import { PlatformError } from '../kernel/errors.ts'
import type { SearchEngine } from '../search/search-engine.ts'
import type { Member } from '../store/member.ts'
import type { Store } from '../store/store.ts'
import type { CacheFollower } from './cache-follower.ts'

export interface SettledDeps {
  store: Store
  member: Member
  clock: Clock
  consumers: readonly RunningConsumer[]
  caches: CacheFollower
  /** The replication slot, when tables are captured. */
  slot: string | undefined
  /** Names of the captured tables. */
  tables: readonly string[]
  indexes: readonly { engine: Pick<SearchEngine, 'refresh'> }[]
  /** Whether an event that was published for later, or a schedule, is due and not in the log yet. */
  due(): Promise<boolean>
}

const lookMs = 4

/**
 * Waits until what is committed now or due now is captured, has its position, and every follower has passed it.
 * @throws HANDLER_TIMEOUT naming who lags
 */
export async function settled(deps: SettledDeps, timeoutMs: number): Promise<void> {
  const { store, clock } = deps
  const deadline = clock.now() + timeoutMs
  const until = async (what: () => string, done: () => Promise<boolean> | boolean): Promise<void> => {
    while (!(await done())) {
      if (clock.now() > deadline)
        throw new PlatformError('HANDLER_TIMEOUT', `not settled after ${timeoutMs} ms: ${what()}`)
      await clock.sleep(lookMs)
    }
  }
  const { slot, tables } = deps
  if (slot !== undefined) {
    // A message of our own in the write-ahead log: once it is confirmed, so is everything committed before.
    const [mark] = await store.sql<{ lsn: string }>`select pg_logical_emit_message(true, 'millrace', '')::text as lsn`
    await until(
      () => 'changes are still being captured',
      async () => {
        const [row] = await store.sql<{ done: boolean }>`
          select exists (select from pg_replication_slots where slot_name = ${slot} and confirmed_flush_lsn >= ${mark?.lsn}::pg_lsn)
             and not exists (select from unnest(${tables}::text[]) as t(name) where not exists (
               select from millrace.captured_tables c where c.capture = ${slot} and c.name = t.name and c.state = 'done')) as done`
        return row?.done === true
      },
    )
  }
  await until(
    () => 'something due is not in the log yet',
    async () => !(await deps.due()),
  )
  await tick(store)
  const [row] = await store.sql<{ head: number }>`select head from millrace.sequencer`
  const head = row?.head ?? 0
  let lagging: string | undefined
  await until(
    () => `${lagging ?? 'a follower'} has not reached ${head}`,
    async () => {
      lagging = await laggard(deps, head)
      return lagging === undefined
    },
  )
  await Promise.all(deps.indexes.map(({ engine }) => engine.refresh()))
}

async function laggard({ store, member, caches, ...deps }: SettledDeps, head: number): Promise<string | undefined> {
  // One that is paused has nothing to come.
  const consumers = deps.consumers.filter(({ paused }) => !paused)
  if (caches.position < head) return 'the caches of this process'
  const behind = consumers.find(({ position }) => position !== undefined && position < head)
  if (behind !== undefined) return behind.spec.name
  // Of the slots it holds this process knows a newer place than is stored. Those it has claimed but not taken up yet, and
  // all others, are as far as is stored.
  const names = consumers.map(({ spec }) => spec.name)
  const behindInStore = await store.sql<{ consumer: string; slot: number; ours: boolean }>`
    select consumer, slot, owner is not distinct from ${member.id} as ours from millrace.consumer_slots
     where consumer = any(${names}) and position < ${head}`
  const known = (name: string, slot: number): number =>
    consumers.find(({ spec }) => spec.name === name)?.positionOf(slot) ?? 0
  return behindInStore.find(({ consumer, slot, ours }) => !ours || known(consumer, slot) < head)?.consumer
}
