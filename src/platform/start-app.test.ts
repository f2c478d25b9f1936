import { createServer } from 'node:net'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cache } from '../cache/cache-definition.ts'
import { event } from '../events/event.ts'
import { table } from '../events/table.ts'
import { t } from '../kernel/schema.ts'
import { index } from '../search/index-definition.ts'
import { testApp } from '../testing/test-app.ts'
import { type TestDatabase, testDatabase } from '../testing/test-postgres.ts'
import { app } from './app-definition.ts'
import type { RunningApp, StartOptions } from './running-app.ts'
import { startApp } from './start-app.ts'

const films = table('films', { id: t.int(), title: t.string(), year: t.int() }, { key: 'id' })
const film = cache('film', { from: films })
const catalog = index('catalog', { from: films, document: ({ title }) => ({ title }), search: ['title'] })
const shop = app('shop', [film, catalog])

let database: TestDatabase
let watcher: pg.Client
let running: RunningApp[]

beforeEach(async () => {
  running = []
  database = await testDatabase()
  watcher = new pg.Client({ connectionString: database.url, application_name: 'watcher' })
  await watcher.connect()
})
afterEach(async () => {
  for (const each of running) await each.stop()
  await watcher.end()
  await database.drop()
})

async function start(definition = shop, options: Partial<StartOptions> = {}): Promise<RunningApp> {
  const started = await startApp(definition, { location: { kind: 'url', url: database.url }, ...options })
  running.push(started)
  return started
}

/** Who of an app is connected to the database, walsenders included. */
async function connected(): Promise<string[]> {
  const { rows } = await watcher.query<{ name: string }>(
    `select application_name || ' ' || backend_type as name from pg_stat_activity
      where datname = current_database() and application_name <> 'watcher' and backend_type in ('client backend', 'walsender')`,
  )
  return rows.map(({ name }) => name)
}
/** A server needs a moment to see that a connection was closed. */
const nobodyIsConnected = () => expect.poll(connected, { timeout: 5000 }).toEqual([])

test('tables that are missing are made, and those there are taken as they are', async () => {
  await watcher.query('create table films (id int primary key, title text not null, year int not null, extra text)')
  await watcher.query(`insert into films values (1, 'Vertigo', 1958)`)
  const started = await start()
  expect(await started.within(() => film.get(1))).toEqual({ id: 1, title: 'Vertigo', year: 1958 })
  expect((await started.within(() => catalog.search('vertigo'))).total).toBe(1)
})

test("a table of the user's is never taken for one of Millrace's, whatever its name", async () => {
  const events = table('events', { id: t.int(), title: t.string() }, { key: 'id' })
  const started = await start(
    app('shop', [events], { setup: ({ sql }) => sql`create table if not exists notes (n int)` }),
  )
  await started.sql`insert into events values (1, 'a party')`
  expect((await watcher.query('select title from events')).rows).toEqual([{ title: 'a party' }])
  expect((await watcher.query(`select to_regclass('public.notes')::text as name`)).rows).toEqual([{ name: 'notes' }])
})

test('a table that differs stops the start; every differing column is named', async () => {
  await watcher.query('create table films (id int primary key, title int not null)')
  const error: unknown = await start().catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'TABLE_MISMATCH' })
  const told = JSON.stringify(error) + String(error)
  expect(told).toContain('title')
  expect(told).toContain('year')
  await nobodyIsConnected()
})

test('a table without a key stops the start', async () => {
  await watcher.query('create table films (id int not null, title text not null, year int not null)')
  await expect(start()).rejects.toMatchObject({ code: 'TABLE_KEYLESS' })
  await nobodyIsConnected()
})

test('setup sees the tables, runs at every start, and an error in it takes everything back', async () => {
  let runs = 0
  let fail = false
  const withSetup = app('shop', [film], {
    async setup({ sql }) {
      runs += 1
      await sql`insert into films values (${runs}, 'made in setup', 2000)`
      if (fail) throw new Error('setup gave up')
    },
  })
  const first = await start(withSetup)
  expect(await first.within(() => film.get(1))).toMatchObject({ title: 'made in setup' })
  await first.stop()
  fail = true
  await expect(start(withSetup)).rejects.toThrow('setup gave up')
  await nobodyIsConnected()
  fail = false
  const last = await start(withSetup)
  expect(await last.sql`select id from films order by id`).toEqual([{ id: 1 }, { id: 3 }])
})

test('processes that start at once set up one after another', async () => {
  let atOnce = 0
  let most = 0
  const withSetup = app('shop', [film], {
    async setup({ sql }) {
      atOnce += 1
      most = Math.max(most, atOnce)
      await sql`select pg_sleep(0.05)`
      atOnce -= 1
    },
  })
  await Promise.all([start(withSetup), start(withSetup), start(withSetup)])
  expect(most).toBe(1)
})

test('a start that fails late leaves no connection, no member and no declaration bound', async () => {
  const broken = app('shop', [film, catalog], {
    setup: ({ sql }) => sql`drop table millrace.consumer_slots`,
  })
  await expect(start(broken)).rejects.toThrow('consumer_slots')
  await nobodyIsConnected()
  expect((await watcher.query('select name from millrace.members')).rows).toEqual([])
  await expect(async () => film.get(1)).rejects.toMatchObject({ code: 'APP_NOT_RUNNING' })
  await expect(async () => catalog.search('x')).rejects.toMatchObject({ code: 'APP_NOT_RUNNING' })
})

test('a port that is taken stops the start, and everything that ran already is closed', async () => {
  const holder = createServer()
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
  const address = holder.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await expect(start(shop, { http: { port } })).rejects.toMatchObject({ code: 'LISTEN_FAILED' })
  await nobodyIsConnected()
  await expect(async () => film.get(1)).rejects.toMatchObject({ code: 'APP_NOT_RUNNING' })
  holder.close()
})

test('an address where no Postgres answers is told without its password', async () => {
  const error: unknown = await startApp(shop, {
    location: { kind: 'url', url: 'postgres://someone:secret@127.0.0.1:1/shop' },
  }).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'STORE_UNREACHABLE', message: expect.stringContaining('127.0.0.1:1') })
  expect(`${error}${JSON.stringify(error)}`).not.toContain('secret')
})

test('stop is quick, may be called again and at once, and leaves nothing behind', async () => {
  const started = await start(shop, { http: { port: 0 } })
  const url = String(started.url)
  expect((await fetch(`${url}/_/health`).catch(() => undefined))?.status ?? 0).toBeLessThan(500)
  const began = performance.now()
  await Promise.all([started.stop(), started.stop()])
  await started.stop()
  // The promise is five seconds; without work under way it is far less.
  expect(performance.now() - began).toBeLessThan(4000)
  await nobodyIsConnected()
  await expect(fetch(url)).rejects.toThrow()
  expect((await watcher.query('select name from millrace.members')).rows).toEqual([])
})

test('start tells its steps in order', async () => {
  const steps: string[] = []
  await start(shop, { http: { port: 0 }, onStep: ({ name }) => steps.push(name) })
  expect(steps).toEqual(['postgres', 'schema', 'tables', 'app', 'changes', 'http'])
})

test('an app of events alone captures nothing and needs no slot', async () => {
  const ping = event('ping', { n: t.int() })
  await using quiet = await testApp(app('quiet', [ping]))
  await quiet.publish(ping, { n: 1 })
  await quiet.settled()
  expect(await quiet.sql`select slot_name from pg_replication_slots where database = current_database()`).toEqual([])
})

test('an index that is declared anew is made anew, from all rows', async () => {
  const declared = (field: 'title' | 'words') =>
    index('catalog', {
      from: films,
      document: ({ title }) => ({ [field]: title.toUpperCase() }) as Record<typeof field, string>,
      search: [field],
    })
  const before = declared('title')
  const first = await start(app('shop', [before]))
  await first.sql`insert into films values (1, 'Vertigo', 1958), (2, 'Rear Window', 1954)`
  await first.settled()
  expect((await before.search('vertigo')).hits).toMatchObject([{ id: 1, title: 'VERTIGO' }])
  await first.stop()

  const after = declared('words')
  const second = await start(app('shop', [after]))
  await second.settled()
  expect((await after.search('window')).hits).toMatchObject([{ id: 2, words: 'REAR WINDOW' }])
  expect((await after.search('vertigo')).total).toBe(1)
})
