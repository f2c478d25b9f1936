import { expect, onTestFinished, test } from 'vitest'
import { uuidv7 } from '../kernel/ids.ts'
import { silentLogger } from '../kernel/logger.ts'
import { openStore, type Store } from '../store/store.ts'
import { testDatabase } from '../testing/test-postgres.ts'
import { append } from './append.ts'
import { readLog } from './read.ts'
import type { NewRecord } from './record.ts'
import { checkEpoch, tick } from './sequence.ts'

async function freshStore(): Promise<Store> {
  const database = await testDatabase()
  const store = openStore({ url: database.url, connections: 4, logger: silentLogger, applicationName: 'restored' })
  onTestFinished(async () => {
    await store.close()
    await database.drop()
  })
  return store
}

const record = (n: number): NewRecord => ({
  id: uuidv7(),
  type: 'written',
  version: 1,
  key: null,
  data: JSON.stringify({ n }),
  meta: null,
})
const write = (store: Store, n: number) => store.withClient((client) => append(client, [record(n)]))

/** As a dump brings it into another server: ids of transactions that are far ahead of those given out here. */
async function carryToAnotherServer(store: Store): Promise<void> {
  const ahead = 1_000_000_000
  await store.sql.query(`create function pg_temp_shift(s text) returns text language sql as $$
    select split_part(s, ':', 1)::bigint + ${ahead} || ':' || split_part(s, ':', 2)::bigint + ${ahead} || ':' ||
      coalesce((select string_agg((x::bigint + ${ahead})::text, ',') from unnest(string_to_array(nullif(split_part(s, ':', 3), ''), ',')) x), '') $$`)
  await store.sql.query(`update millrace.events set xid = (xid::text::bigint + ${ahead})::text::xid8`)
  await store.sql.query(`update millrace.ticks set since = (since::text::bigint + ${ahead})::text::xid8,
    snap = pg_temp_shift(snap::text)::pg_snapshot,
    late = (select array_agg((x::text::bigint + ${ahead})::text::xid8) from unnest(late) x)`)
  await store.sql.query('update millrace.sequencer set snap = pg_temp_shift(snap::text)::pg_snapshot')
}

test('a log that was restored into another server goes on: nothing twice, nothing lost, positions stay', async () => {
  const store = await freshStore()
  for (let n = 1; n <= 20; n += 1) {
    await write(store, n)
    if (n % 3 === 0) await tick(store)
  }
  await carryToAnotherServer(store)
  await expect(checkEpoch(store)).rejects.toMatchObject({ code: 'LOG_EPOCH_CHANGED' })

  // 19 and 20 had no position yet.
  expect(await store.sql`select millrace.continue_after_restore() as again`).toEqual([{ again: 2 }])
  await checkEpoch(store)
  await tick(store)
  for (let n = 21; n <= 40; n += 1) {
    await write(store, n)
    await tick(store)
  }
  const { records } = await readLog(store, { after: 0, span: 1000 })
  expect(records.map(({ position }) => position)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
  expect(records.map(({ data }) => (JSON.parse(data) as { n: number }).n)).toEqual(
    Array.from({ length: 40 }, (_, i) => i + 1),
  )
  expect(await store.sql`select count(*)::int as n from millrace.events`).toEqual([{ n: 40 }])
})
