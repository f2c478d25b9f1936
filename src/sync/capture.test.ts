import { expect, test } from 'vitest'
import { captureStage } from '../../test/support/capture-stage.ts'
import { table } from '../events/table.ts'
import { t } from '../kernel/schema.ts'

const films = table('films', { id: t.int(), title: t.string(), price: t.nullable(t.int()) }, { key: 'id' })

test('rows that were there and changes after that come in order, once', async () => {
  const stage = await captureStage()
  const { sql } = stage.store
  await sql`create table films (id int primary key, title text not null, price int, secret text)`
  await sql`insert into films values (1, 'Alien', 5, 'x'), (2, 'Brazil', null, 'y')`
  const capture = stage.start([films])
  await stage.until(() => capture.status().state === 'streaming', 'streaming')
  await sql`insert into films values (3, E'C\\t"quoted"\\n\\\\', 7)`
  await sql`update films set price = 8 where id = 1`
  await sql`update films set id = 20 where id = 2`
  await sql`delete from films where id = 3`
  await sql`truncate films`
  await stage.caughtUp()
  const log = await stage.log()
  expect(log.map(({ change }) => change)).toEqual([
    { op: 'snapshot', table: 'films', key: '1', row: { id: 1, title: 'Alien', price: 5 }, before: null },
    { op: 'snapshot', table: 'films', key: '2', row: { id: 2, title: 'Brazil', price: null }, before: null },
    { op: 'insert', table: 'films', key: '3', row: { id: 3, title: 'C\t"quoted"\n\\', price: 7 }, before: null },
    { op: 'update', table: 'films', key: '1', row: { id: 1, title: 'Alien', price: 8 }, before: null },
    { op: 'delete', table: 'films', key: '2', row: null, before: { id: 2 } },
    { op: 'insert', table: 'films', key: '20', row: { id: 20, title: 'Brazil', price: null }, before: null },
    { op: 'delete', table: 'films', key: '3', row: null, before: { id: 3 } },
    { op: 'truncate', table: 'films', key: '', row: null, before: null },
  ])
  expect(log[0]).toMatchObject({
    type: 'change:films',
    key: '1',
    meta: { lsn: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/) },
  })
  expect(log[2]?.meta).toEqual({
    lsn: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/),
    xid: expect.stringMatching(/^\d+$/),
    committedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
  })
})

test('a table that leaves and comes back begins anew', async () => {
  const stage = await captureStage()
  const { sql } = stage.store
  const shorts = table('shorts', { id: t.int() }, { key: 'id' })
  await sql`create table films (id int primary key, title text not null, price int)`
  await sql`insert into films values (1, 'Alien', 5), (2, 'Brazil', null)`
  const first = stage.start([films, shorts])
  await stage.caughtUp()
  await first.stop()
  const without = stage.start([shorts])
  await stage.caughtUp()
  await sql`delete from films where id = 1`
  await without.stop()
  stage.start([shorts, films])
  await stage.caughtUp()
  const log = await stage.log()
  expect(log.map(({ change }) => `${change.op} ${change.key}`)).toEqual([
    'snapshot 1',
    'snapshot 2',
    'truncate ',
    'snapshot 2',
  ])
})
