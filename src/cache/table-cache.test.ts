import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type EmbeddedPostgres, openEmbeddedPostgres } from '../adapters/embedded-postgres/open-embedded-postgres.ts'
import { table } from '../events/table.ts'
import { systemClock } from '../kernel/clock.ts'
import { silentLogger } from '../kernel/logger.ts'
import { Metrics } from '../kernel/metrics.ts'
import { t } from '../kernel/schema.ts'
import { openStore, type Store } from '../store/store.ts'
import { type CacheDefinition, cache } from './cache-definition.ts'
import type { CacheInvalidation, CacheRuntime } from './cache-runtime.ts'
import { createCacheRuntime } from './open-cache.ts'

const films = table(
  'films',
  {
    id: t.int(),
    title: t.string(),
    views: t.bigint(),
    price: t.nullable(t.decimal()),
    length: t.number(),
    note: t.optional(t.string()),
    at: t.timestamp(),
    tags: t.json(),
  },
  { key: 'id' },
)
const seats = table('seats', { hall: t.string(), row: t.int(), free: t.boolean() }, { key: ['hall', 'row'] })
const tickets = table('tickets', { code: t.uuid(), seat: t.string() }, { key: 'code' })

const schema = `
  create table if not exists films (id bigint primary key, title text not null, views bigint not null, price numeric, length numeric not null, note text, at timestamptz not null, tags jsonb not null);
  create table if not exists seats (hall text, "row" integer, free boolean not null, primary key (hall, "row"));
  create table if not exists tickets (code uuid primary key, seat text not null);
  truncate films, seats, tickets;
  insert into films select i, 'Film ' || i, i, i + 0.5, 1.5, null, '2024-05-06 07:08:09.5+00', '{"deep": [1]}' from generate_series(1, 2000) i;
  insert into seats select hall, "row", true from unnest(array['a', 'b']) hall, generate_series(1, 9) "row";`

let folder = ''
let postgres: EmbeddedPostgres
let store: Store

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-cache-'))
  postgres = await openEmbeddedPostgres({ directory: folder, fast: true })
  store = openStore({ url: postgres.url, connections: 6, logger: silentLogger, applicationName: 'cache test' })
})
beforeEach(() => store.sql.query(schema))
afterAll(async () => {
  await store.close()
  await postgres.close()
  await rm(folder, { recursive: true, force: true })
})

interface Opened {
  runtime: CacheRuntime
  /** How many statements loaded something. */
  statements: () => number
}

function open(definition: CacheDefinition): Opened {
  const metrics = new Metrics()
  const runtime = createCacheRuntime({ definition, store, clock: systemClock, metrics })
  definition.binding.bind({}, runtime)
  runtime.resume()
  const seconds = metrics.histogram('millrace_cache_load_seconds', '', { cache: definition.name })
  return { runtime, statements: () => seconds.count }
}

/** Runs a statement in a transaction of its own; returns what the log will say of it. */
async function change(statement: string, key: string, client?: pg.Client): Promise<CacheInvalidation> {
  const target = client ?? (await store.connect())
  try {
    await target.query('begin')
    await target.query(statement)
    const { rows } = await target.query<{ xid: string }>('select pg_current_xact_id()::text as xid')
    await target.query('commit')
    return { change: { op: 'update', key, before: null }, xid: rows[0]?.xid, position: 1 }
  } finally {
    if (client === undefined) await target.end()
  }
}

test('a row is read as the log would carry it, and stays in memory', async () => {
  const film = cache('film', { from: films })
  const { runtime } = open(film)
  const row = await film.get(7)
  expect(row).toEqual({
    id: 7,
    title: 'Film 7',
    views: '7',
    price: '7.5',
    length: 1.5,
    at: '2024-05-06T07:08:09.5Z',
    tags: { deep: [1] },
  })
  expect(film.peek(7)).toBe(row)
  expect(await film.get('7')).toBe(row)
  expect(runtime.stats()).toMatchObject({ hits: 1, misses: 1, loads: 1 })
  // @ts-expect-error a number or the text of one
  await expect(film.get({ id: 7, other: 1 })).resolves.toBe(row)
  expect(() => {
    // @ts-expect-error rows are shared, so nobody may write to them
    if (row !== undefined) row.title = ''
  }).toThrow(TypeError)
})

test('concurrent misses share statements of at most 500 keys', async () => {
  const film = cache('film', { from: films })
  const { statements } = open(film)
  const ids = Array.from({ length: 1200 }, (_, i) => i + 1)
  const [rows] = await Promise.all([film.getMany(ids), film.get(3), film.getMany(ids)])
  expect(rows.map((row) => row?.id)).toEqual(ids)
  expect(statements()).toBe(3)
})

test('a row that is not there is remembered as missing until a change brings it', async () => {
  const film = cache('film', { from: films })
  const { runtime, statements } = open(film)
  expect([await film.get(9999), await film.get(9999)]).toEqual([undefined, undefined])
  expect(statements()).toBe(1)
  runtime.invalidate([await change(`insert into films values (9999, 'New', 0, null, 2, 'rare', now(), '[]')`, '9999')])
  expect(await film.get(9999)).toMatchObject({ title: 'New', price: null, length: 2, note: 'rare' })
})

test('a change drops the values that were read before it and keeps those that saw it', async () => {
  const film = cache('film', { from: films })
  const { runtime, statements } = open(film)
  await film.get(1)
  const first = await change(`update films set title = 'A' where id = 1`, '1')
  expect(film.peek(1)?.title).toBe('Film 1')
  expect(runtime.invalidate([first])).toBe(1)
  expect((await film.get(1))?.title).toBe('A')
  expect(runtime.invalidate([first])).toBe(0)
  expect(film.peek(1)?.title).toBe('A')
  expect(statements()).toBe(2)
  expect(runtime.stats()).toMatchObject({ invalidations: 2, dropped: 1, position: 1 })
})

test('a row that moved to another key is dropped under both', async () => {
  const film = cache('film', { from: films })
  const { runtime } = open(film)
  await film.getMany([1, 5000])
  const { xid } = await change('update films set id = 5000 where id = 1', '5000')
  runtime.invalidate([{ change: { op: 'update', key: '5000', before: { id: 1 } }, xid, position: 1 }])
  expect((await film.getMany([1, 5000])).map((row) => row?.title)).toEqual([undefined, 'Film 1'])
})

test('a commit that the log tells of before readers see it is waited for', async () => {
  const film = cache('film', { from: films })
  const { runtime } = open(film)
  await film.get(1)
  // A synchronous standby that never answers: commits are written to the log, but stay invisible.
  await configure(`alter system set synchronous_standby_names = 'nobody'`)
  const writer = await store.connect()
  try {
    await writer.query('begin')
    await writer.query(`update films set title = 'B' where id = 1`)
    const { rows } = await writer.query<{ xid: string }>('select pg_current_xact_id()::text as xid')
    const committed = writer.query('commit')
    await waitFor(`select from pg_stat_activity where wait_event = 'SyncRep'`)

    runtime.invalidate([{ change: { op: 'update', key: '1', before: null }, xid: rows[0]?.xid, position: 1 }])
    let answer: string | undefined
    const asked = film.get(1).then((row) => {
      answer = row?.title
    })
    expect((await film.get(2))?.title).toBe('Film 2')
    expect(await store.sql`select title from films where id = 1`).toEqual([{ title: 'Film 1' }])
    expect([answer, film.peek(1)]).toEqual([undefined, undefined])
    await configure('alter system reset synchronous_standby_names')
    await asked
    expect([answer, film.peek(1)?.title]).toEqual(['B', 'B'])
    await committed
  } finally {
    // Whatever went wrong above: with the standby still awaited, every commit after this one would hang.
    await configure('alter system reset synchronous_standby_names')
    await writer.end()
  }
})

test('while suspended every look-up reads the table', async () => {
  const film = cache('film', { from: films })
  const { runtime } = open(film)
  await film.get(1)
  runtime.suspend()
  await change(`update films set title = 'C' where id = 1`, '1')
  expect((await film.get(1))?.title).toBe('C')
  await change(`update films set title = 'D' where id = 1`, '1')
  expect((await film.get(1))?.title).toBe('D')
  expect([film.peek(1), runtime.stats().entries, runtime.stats().suspended]).toEqual([undefined, 0, true])
  runtime.resume()
  await film.get(1)
  expect(film.peek(1)?.title).toBe('D')
})

test('keys of several columns are objects', async () => {
  const seat = cache('seat', { from: seats })
  const { runtime, statements } = open(seat)
  const ids = [
    { hall: 'a', row: 3 },
    { hall: 'b', row: 3 },
    { hall: 'c', row: 1 },
  ]
  expect(await seat.getMany(ids)).toEqual([
    { hall: 'a', row: 3, free: true },
    { hall: 'b', row: 3, free: true },
    undefined,
  ])
  expect(statements()).toBe(1)
  const key = seats.keyText({ hall: 'b', row: 3 })
  runtime.invalidate([await change(`update seats set free = false where hall = 'b' and "row" = 3`, key)])
  expect(seat.peek({ hall: 'a', row: 3 })?.free).toBe(true)
  expect((await seat.get({ row: 3, hall: 'b' }))?.free).toBe(false)
  // @ts-expect-error half a key
  await expect(seat.get({ hall: 'a' })).rejects.toMatchObject({ code: 'INPUT_INVALID' })
})

test('an id that cannot be is refused by itself, whatever is loaded beside it', async () => {
  const film = cache('film', { from: films })
  open(film)
  const [good, noNumber, tooLarge] = await Promise.allSettled([film.get(1), film.get('x'), film.get(2 ** 53 - 1)])
  expect(good).toMatchObject({ value: { id: 1 } })
  expect(noNumber).toMatchObject({ reason: { code: 'INPUT_INVALID', issues: [{ path: '/id' }] } })
  expect(tooLarge).toMatchObject({ status: 'fulfilled', value: undefined })

  const seat = cache('seat', { from: seats })
  open(seat)
  const [fine, unstorable] = await Promise.allSettled([
    seat.get({ hall: 'a', row: 1 }),
    seat.get({ hall: '\u0000', row: 1 }),
  ])
  expect(fine).toMatchObject({ value: { free: true } })
  expect(unstorable).toMatchObject({ reason: { code: 'INPUT_INVALID' } })
})

test('one key has one entry however it is spelled', async () => {
  await store.sql`insert into tickets values ('6f1c2f3e-0000-4000-8000-00000000000a', '4b')`
  const ticket = cache('ticket', { from: tickets })
  const { runtime } = open(ticket)
  expect((await ticket.get('6F1C2F3E-0000-4000-8000-00000000000A'))?.seat).toBe('4b')
  const key = '6f1c2f3e-0000-4000-8000-00000000000a'
  expect(ticket.peek(key)?.seat).toBe('4b')
  runtime.invalidate([await change(`update tickets set seat = '5c'`, key)])
  expect((await ticket.get('6F1C2F3E-0000-4000-8000-00000000000A'))?.seat).toBe('5c')
})

test('many changes without a look-up leave the fence small', async () => {
  const film = cache('film', { from: films })
  const { runtime } = open(film)
  const { xid, position } = await change(`update films set title = 'E'`, '1')
  const all = Array.from({ length: 30_000 }, (_, i) => ({
    change: { op: 'update' as const, key: String(i), before: null },
    xid,
    position,
  }))
  runtime.invalidate(all)
  expect((await film.get(1))?.title).toBe('E')
  expect(film.peek(1)?.title).toBe('E')
})

async function configure(statement: string): Promise<void> {
  await store.sql.query(statement)
  await store.sql.query('select pg_reload_conf()')
}

/** Polls, for nothing signals what another session waits for. */
async function waitFor(statement: string): Promise<void> {
  while ((await store.sql.query(statement)).length === 0) await sleep(5)
}
