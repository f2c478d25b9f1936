import { expect, test } from 'vitest'
import { captureStage, replay, type Stage } from '../../test/support/capture-stage.ts'
import { table } from '../events/table.ts'
import { PlatformError } from '../kernel/errors.ts'
import { t } from '../kernel/schema.ts'
import { openReplication } from './replication-connection.ts'

const things = table('things', { id: t.int(), n: t.int() }, { key: 'id' })

/** A capture that has run and is stopped, with something in the log. */
async function ranBefore(): Promise<Stage> {
  const stage = await captureStage()
  const { sql } = stage.store
  await sql`create table things (id int primary key, n int not null)`
  const capture = stage.start([things])
  await stage.caughtUp()
  await sql`insert into things select n, n from generate_series(1, 3) n`
  await stage.caughtUp()
  await capture.stop()
  return stage
}

const divergences: Record<string, (stage: Stage) => Promise<unknown>> = {
  'the slot is gone': ({ store, name }) => store.sql`select pg_drop_replication_slot(${name})`,
  'the slot was made anew': async ({ store, name }) => {
    await store.sql`select pg_drop_replication_slot(${name})`
    await store.sql`insert into things values (4, 4)`
    await store.sql`select pg_create_logical_replication_slot(${name}, 'pgoutput')`
  },
  'somebody else has read from the slot': async ({ store, name }) => {
    await store.sql`insert into things values (4, 4)`
    await store.sql`select pg_replication_slot_advance(${name}, pg_current_wal_lsn())`
  },
  'the server is another one': ({ store }) => store.sql`update millrace.captures set system_identifier = '1'`,
}

for (const [what, diverge] of Object.entries(divergences)) {
  test(`when ${what}, capture stops and says so, and goes on when told to start over`, async () => {
    const stage = await ranBefore()
    const { sql } = stage.store
    await diverge(stage)
    await sql`delete from things where id = 1`
    const before = await stage.log()

    const refused = stage.start([things])
    await stage.until(() => refused.status().state === 'failed', 'capture fails')
    expect(refused.status().error?.code).toBe('CAPTURE_DIVERGED')
    expect(await stage.log()).toEqual(before)
    await refused.stop()

    const again = stage.start([things], { resnapshot: true })
    await stage.caughtUp()
    await sql`insert into things values (9, 9)`
    await stage.caughtUp()
    expect(again.status()).toMatchObject({ state: 'streaming', error: undefined })
    const rows = await sql<{ id: number }>`select id, n from things`
    expect([...replay(await stage.log(), things)].sort()).toEqual(rows.map((row) => [String(row.id), row]).sort())
  })
}

test('a publication that was dropped and comes back has its tables copied again', async () => {
  const stage = await ranBefore()
  const { sql } = stage.store
  await sql.query(`drop publication "${stage.name}"`)
  await sql`delete from things where id = 1`
  stage.start([things])
  await stage.caughtUp()
  expect([...replay(await stage.log(), things).keys()].sort()).toEqual(['2', '3'])
})

test('a slot of that name in another database is left alone', async () => {
  const stage = await captureStage()
  const other = await captureStage()
  await other.store.sql`select pg_create_logical_replication_slot(${stage.name}, 'pgoutput')`
  await stage.store.sql`create table things (id int primary key, n int not null)`
  const capture = stage.start([things])
  await stage.until(() => capture.status().state === 'failed', 'capture fails')
  expect(capture.status().error).toMatchObject({ code: 'STORE_UNSUITABLE' })
})

test('a slot that a dead process still streams from is taken over', async () => {
  const stage = await ranBefore()
  const hung = stage.start([things], { assertHeld: () => lost })
  let loseLease = (): void => {}
  const lost = new Promise<void>((_, reject) => {
    loseLease = () => reject(new PlatformError('LEASE_LOST', 'the test took the lease away'))
  })
  lost.catch(() => undefined)
  await stage.until(() => hung.status().state === 'streaming', 'the first one streams')
  await stage.store.sql`insert into things values (5, 5)`
  // It hangs in the middle of an append and keeps its connection; its successor does not wait for it.
  stage.start([things])
  await stage.caughtUp()
  loseLease()
  await hung.ended
  expect(hung.status().state).toBe('stopped')
  expect([...replay(await stage.log(), things).keys()].sort()).toEqual(['1', '2', '3', '5'])
})

test('a slot that somebody else reads is not torn away', async () => {
  const stage = await ranBefore()
  const reader = await openReplication({
    url: stage.url,
    applicationName: 'somebody',
    settings: [],
    slot: stage.name,
    publication: stage.name,
    from: 0n,
    handlers: { onData() {}, onKeepalive() {} },
  })
  const capture = stage.start([things])
  await stage.until(() => capture.status().state === 'retrying', 'capture waits')
  expect(capture.status().error?.message).toContain('"somebody"')
  await reader.close()
  await stage.caughtUp()
})
