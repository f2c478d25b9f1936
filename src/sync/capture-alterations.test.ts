import { expect, test } from 'vitest'
import { captureStage, replay, type Stage } from '../../test/support/capture-stage.ts'
import { table } from '../events/table.ts'
import { t } from '../kernel/schema.ts'
import type { Capture } from './capture.ts'

const films = table('films', { id: t.int(), title: t.string(), price: t.nullable(t.int()) }, { key: 'id' })

async function following(): Promise<{ stage: Stage; capture: Capture }> {
  const stage = await captureStage()
  await stage.store.sql`create table films (id int primary key, title text not null, price int, more int)`
  await stage.store.sql`insert into films values (1, 'Alien', 5)`
  const capture = stage.start([films])
  await stage.caughtUp()
  return { stage, capture }
}

const failed = async ({ stage, capture }: { stage: Stage; capture: Capture }): Promise<string> => {
  await stage.until(() => capture.status().state === 'failed', 'capture fails')
  return `${capture.status().error?.code}: ${capture.status().error?.message}`
}

test('what is altered beside the declaration is nobody’s business', async () => {
  const { stage } = await following()
  const { sql } = stage.store
  await sql`alter table films drop column more`
  await sql`alter table films add column extra text default 'x'`
  await sql`alter table films alter column price type int8`
  await sql`insert into films values (2, 'Brazil', 7)`
  await stage.caughtUp()
  expect((await stage.log()).at(-1)?.change.row).toEqual({ id: 2, title: 'Brazil', price: 7 })
})

test('a declared column that goes stops capture; back again, nothing was lost', async () => {
  const { stage, capture } = await following()
  const { sql } = stage.store
  await sql`alter table films drop column price`
  await sql`insert into films values (2, 'Brazil')`
  expect(await failed({ stage, capture })).toContain('TABLE_MISMATCH: table "films" differs')
  await sql`insert into films values (3, 'Contact')`
  await sql`alter table films add column price int`
  await sql`update films set price = 9 where id = 3`
  await stage.caughtUp()
  expect((await stage.log()).map(({ change }) => [change.key, change.row, change.unchanged])).toEqual([
    ['1', { id: 1, title: 'Alien', price: 5 }, undefined],
    ['2', { id: 2, title: 'Brazil' }, ['price']],
    ['3', { id: 3, title: 'Contact' }, ['price']],
    ['3', { id: 3, title: 'Contact', price: 9 }, undefined],
  ])
})

test('a column that takes a type it cannot have stops capture', async () => {
  const { stage, capture } = await following()
  await stage.store.sql`alter table films alter column price type text`
  await stage.store.sql`insert into films values (2, 'Brazil', 'cheap')`
  expect(await failed({ stage, capture })).toContain('column "price" is text, which cannot hold the declared integer')
})

test('a primary key that goes stops capture', async () => {
  const { stage, capture } = await following()
  await stage.store.sql`alter table films drop constraint films_pkey`
  await stage.store.sql`insert into films values (2, 'Brazil')`
  expect(await failed({ stage, capture })).toContain('TABLE_KEYLESS')
})

test('a table that is renamed stops capture, and goes on under its name', async () => {
  const { stage, capture } = await following()
  const { sql } = stage.store
  await sql`alter table films rename to movies`
  await sql`insert into movies values (2, 'Brazil')`
  expect(await failed({ stage, capture })).toContain('TABLE_MISMATCH: table "films" was dropped or renamed')
  await sql`alter table movies rename to films`
  await stage.caughtUp()
  expect((await stage.log()).map(({ key }) => key)).toEqual(['1', '2'])
})

test('a table that is dropped and made again while it is followed begins anew', { timeout: 40_000 }, async () => {
  const { stage } = await following()
  const { sql } = stage.store
  await sql.query(
    `begin; drop table films; create table films (id int primary key, title text not null, price int); commit`,
  )
  await sql`insert into films values (4, 'Dune', 1)`
  await stage.until(async () => replay(await stage.log(), films).has('4'), 'the new table is followed')
  expect([...replay(await stage.log(), films).keys()]).toEqual(['4'])
})

test('a slot with nothing to read lets go of the log that others write', async () => {
  const { stage, capture } = await following()
  const { sql } = stage.store
  await sql`create table unrelated (n int)`
  const [before] = await sql<{ lsn: string }>`select pg_current_wal_lsn()::text as lsn`
  await sql`insert into unrelated select generate_series(1, 10000)`
  await stage.until(async () => {
    const [slot] = await sql<{ passed: boolean }>`
      select confirmed_flush_lsn > ${before?.lsn}::pg_lsn as passed from pg_replication_slots where slot_name = ${stage.name}`
    return slot?.passed === true
  }, 'the slot has moved on')
  expect(capture.status().confirmedLsn).toBe(capture.status().appendedLsn)
  const after = await stage.log()
  await capture.stop()
  stage.start([films])
  await sql`insert into films values (2, 'Brazil', 7)`
  await stage.caughtUp()
  expect(await stage.log()).toHaveLength(after.length + 1)
})

test('stopping does not wait for the transactions that a new slot has to wait for', async () => {
  const stage = await captureStage()
  const writer = await stage.store.connect()
  await writer.query('begin')
  await writer.query('create table unfinished ()')
  const capture = stage.start([films])
  await stage.until(async () => {
    const waiting = await stage.store.sql`
      select from pg_stat_activity where query like 'select lsn::text from pg_create_logical%' and wait_event_type = 'Lock'`
    return waiting.length > 0
  }, 'the slot waits')
  await capture.stop()
  expect(capture.status().state).toBe('stopped')
  await writer.query('commit')
  await writer.end()
  const again = stage.start([films])
  await stage.caughtUp()
  expect(again.status().state).toBe('streaming')
})
