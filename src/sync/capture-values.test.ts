import { expect, test } from 'vitest'
import { captureStage, replay } from '../../test/support/capture-stage.ts'
import { table } from '../events/table.ts'
import { t } from '../kernel/schema.ts'

const every = table(
  'every',
  {
    id: t.bigint(),
    small: t.int(),
    wide: t.int(),
    single: t.number(),
    double: t.number(),
    price: t.number(),
    exact: t.decimal(),
    big: t.bigint(),
    flag: t.boolean(),
    text: t.string(),
    code: t.string(),
    name: t.string(),
    day: t.date(),
    moment: t.timestamp(),
    local: t.string(),
    span: t.string(),
    mood: t.oneOf('calm', 'wild'),
    uuid: t.uuid(),
    doc: t.json(),
    plain: t.object({ a: t.array(t.int()) }),
    numbers: t.array(t.int()),
    words: t.array(t.nullable(t.string())),
    days: t.array(t.date()),
    times: t.array(t.timestamp()),
    docs: t.array(t.json()),
    bytes: t.string(),
    positive: t.int(),
    anything: t.json(),
    none: t.nullable(t.string()),
    absent: t.optional(t.string()),
    'odd "name"': t.int(),
  },
  { key: 'id' },
)

const create = `
  create type mood as enum ('calm', 'wild');
  create domain positive as int check (value > 0);
  create domain document as jsonb;
  create table every (
    id int8 primary key, small int2 not null, wide int8 not null, single float4 not null, double float8 not null,
    price numeric(12, 2) not null, exact numeric not null, big int8 not null, flag bool not null, text text not null,
    code varchar(9) not null, name char(4) not null, day date not null, moment timestamptz not null, local timestamp not null,
    span interval not null, mood mood not null, uuid uuid not null, doc jsonb not null, plain json not null,
    numbers int4[] not null, words text[] not null, days date[] not null, times timestamptz[] not null, docs jsonb[] not null, bytes bytea not null, positive positive not null,
    anything document, none text, absent text, "odd ""name""" int not null)`

const values = `
  9007199254740993, -3, 9007199254740991, 1.5, 'NaN', 12.50, 123456789012345678901234567890.5000, 7, true,
  E'tab\\t new\\nline \\\\ back "quote" ünïcødé 😀 \\r', 'v', 'c', '2024-02-29', '2024-02-29 12:34:56.789+02', '2024-02-29 01:02:03',
  '1 day 02:03', 'wild', '00000000-0000-4000-8000-000000000001', '{"b": [1, null, "x"], "a": {"n": 1.10}}',
  E'{"a" :\\n\\t[1,  2]}', '{1,2,3}', array['a,b', null, '"q"', 'NULL', E'\\\\'], array['2024-02-29'::date],
  array['2024-02-29 12:34:56.789+02'::timestamptz, null], array['{"a": [1, "x"]}'::jsonb], '\\x00ff', 5, '[true]', null, null, 4`

test('a captured value reads like a query, from the copy as from the stream', async () => {
  const stage = await captureStage()
  const { sql } = stage.store
  await sql.query(create)
  await sql.query(`insert into every values (${values})`)
  stage.start([every])
  await stage.caughtUp()
  await sql.query(`insert into every values (${values.replace('9007199254740993', '1')})`)
  await sql.query(`update every set double = -0.1, flag = false, wide = -9007199254740992 where id = 1`)
  await stage.caughtUp()
  const columns = Object.keys(every.fields).filter((name) => !['id', 'big', 'price'].includes(name))
  const quoted = columns.map((name) => `"${name.replaceAll('"', '""')}"`)
  const rows = await sql.query<Record<string, unknown>>(
    `select id::text as id, big::text as big, price::float8 as price, ${quoted.join(', ')} from every`,
  )
  // NULL of a column that is optional, and not nullable, reads as absent.
  const expected = rows.map(({ absent, ...row }) => [String(row['id']), row])
  expect([...replay(await stage.log(), every)].sort()).toEqual(expected.sort())
  const [copied] = await stage.log()
  expect(copied?.change.row).toMatchObject({
    id: '9007199254740993',
    double: 'NaN',
    price: 12.5,
    anything: [true],
    none: null,
  })
})

test('a large value that a change does not touch is told apart from null', async () => {
  const stage = await captureStage()
  const { sql } = stage.store
  const notes = table('notes', { id: t.int(), title: t.string(), body: t.nullable(t.string()) }, { key: 'id' })
  await sql`create table notes (id int primary key, title text not null, body text)`
  await sql`alter table notes alter body set storage external`
  await sql`insert into notes values (1, 'a', repeat('x', 5000)), (2, 'b', null)`
  stage.start([notes])
  await stage.caughtUp()
  await sql`update notes set title = title || '!'`
  await sql`update notes set id = 10 where id = 1`
  await stage.caughtUp()
  const log = (await stage.log()).slice(2).map(({ change }) => change)
  expect(log.slice(0, 2)).toEqual([
    { op: 'update', table: 'notes', key: '1', row: { id: 1, title: 'a!' }, before: null, unchanged: ['body'] },
    { op: 'update', table: 'notes', key: '2', row: { id: 2, title: 'b!', body: null }, before: null },
  ])
  // Nobody has the value under the new key, so it comes along.
  expect(log.slice(2)).toEqual([
    { op: 'delete', table: 'notes', key: '1', row: null, before: { id: 1 } },
    { op: 'insert', table: 'notes', key: '10', row: { id: 10, title: 'a!', body: 'x'.repeat(5000) }, before: null },
  ])
})

test('with the row before the change, changes carry it whole, large values included', async () => {
  const stage = await captureStage()
  const { sql } = stage.store
  const notes = table('notes', { id: t.int(), title: t.string(), body: t.string() }, { key: 'id', before: true })
  await sql`create table notes (id int primary key, title text not null, body text not null, secret text)`
  await sql`alter table notes alter body set storage external`
  const body = 'x'.repeat(5000)
  stage.start([notes])
  await stage.caughtUp()
  await sql`insert into notes values (1, 'a', ${body}, 's')`
  await sql`update notes set title = 'b'`
  await sql`update notes set id = 2`
  await sql`delete from notes`
  await stage.caughtUp()
  expect((await stage.log()).map(({ change }) => [change.op, change.row, change.before])).toEqual([
    ['insert', { id: 1, title: 'a', body }, null],
    ['update', { id: 1, title: 'b', body }, { id: 1, title: 'a', body }],
    ['delete', null, { id: 1, title: 'b', body }],
    ['insert', { id: 2, title: 'b', body }, null],
    ['delete', null, { id: 2, title: 'b', body }],
  ])
})

test('rows of a partitioned table are rows of the table, wherever they lie', async () => {
  const stage = await captureStage()
  const { sql } = stage.store
  const readings = table(
    'readings',
    { day: t.date(), id: t.int(), value: t.int() },
    { key: ['day', 'id'], before: true },
  )
  await sql`create table readings (day date, id int, value int not null, primary key (day, id)) partition by range (day)`
  await sql`create table readings_old partition of readings for values from ('2024-01-01') to ('2025-01-01')`
  await sql`create table readings_new partition of readings for values from ('2025-01-01') to ('2026-01-01')`
  await sql`insert into readings values ('2024-05-05', 1, 1)`
  stage.start([readings])
  await stage.caughtUp()
  await sql`insert into readings values ('2025-05-05', 2, 2)`
  await sql`update readings set day = '2025-06-06', value = 9 where id = 1`
  await stage.caughtUp()
  expect((await stage.log()).map(({ change }) => [change.op, change.key, change.before])).toEqual([
    ['snapshot', '["2024-05-05",1]', null],
    ['insert', '["2025-05-05",2]', null],
    ['delete', '["2024-05-05",1]', { day: '2024-05-05', id: 1, value: 1 }],
    ['insert', '["2025-06-06",1]', null],
  ])
})
