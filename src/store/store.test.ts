import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../kernel/clock.ts'
import { silentLogger } from '../kernel/logger.ts'
import { type TestDatabase, testDatabase } from '../testing/test-postgres.ts'
import { parseArray } from './column-text.ts'
import { LazyTransaction } from './lazy-transaction.ts'
import { acquireLease, assertHeld, releaseLease } from './lease.ts'
import { joinFleet } from './member.ts'
import { migrate, ownMigrations } from './migrate.ts'
import { coalescedNotify, listen } from './notify.ts'
import { openStore, publicUrl, type Store } from './store.ts'

let database: TestDatabase
let store: Store

beforeAll(async () => {
  database = await testDatabase()
  store = openStore({ url: database.url, connections: 8, logger: silentLogger, applicationName: 'store test' })
  await store.sql`create table notes (id int primary key, text text)`
})

afterAll(async () => {
  await store.close()
  await database.drop()
})

test('a transaction commits whole or not at all', async () => {
  await store.transaction(async ({ sql }) => sql`insert into notes values (1, 'kept')`)
  const failing = store.transaction(async ({ sql }) => {
    await sql`insert into notes values (2, 'gone')`
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  expect(await store.sql`select text from notes`).toEqual([{ text: 'kept' }])
})

test('values are parameters, never text', async () => {
  const text = `'); drop table notes; --`
  expect(await store.sql`select ${text}::text as text`).toEqual([{ text }])
})

test('a lazy transaction that nobody used begins nothing', async () => {
  const unused = new LazyTransaction(store)
  await unused.commit()
  expect(unused.begun).toBe(false)
  const used = new LazyTransaction(store)
  await used.sql`insert into notes values (3, 'lazy')`
  await used.rollback()
  expect(await store.sql`select 1 from notes where id = 3`).toEqual([])
})

test('a migration that changed after it ran, or that nobody knows, stops the start', async () => {
  const own = ownMigrations()
  expect(await migrate(store, own)).toEqual([])
  const changed = own.map((each, i) => (i === 0 ? { ...each, sql: `${each.sql}\n-- later` } : each))
  await expect(migrate(store, changed)).rejects.toMatchObject({ code: 'MIGRATION_CHANGED' })
  await expect(migrate(store, own.slice(1))).rejects.toMatchObject({ code: 'MIGRATION_UNKNOWN' })
  const added = { name: '9000_more.sql', sql: 'create table more (id int)' }
  const both = await Promise.all([migrate(store, [...own, added]), migrate(store, [...own, added])])
  expect(both.flat()).toEqual([added.name])
})

test('a duty has one holder, and whoever lost it cannot commit', async () => {
  const deps = { clock: systemClock, logger: silentLogger }
  const [a, b] = [
    await joinFleet(store, { app: 't', name: 'a' }, deps),
    await joinFleet(store, { app: 't', name: 'b' }, deps),
  ]
  const first = await acquireLease(store, a, 'duty')
  expect(first?.epoch).toBe(1)
  expect(await acquireLease(store, a, 'duty')).toEqual(first)
  expect(await acquireLease(store, b, 'duty')).toBeUndefined()
  await a.leave()
  const second = await acquireLease(store, b, 'duty')
  expect(second?.epoch).toBe(2)
  const late = store.transaction((tx) => assertHeld(tx, { name: 'duty', epoch: 1 }))
  await expect(late).rejects.toMatchObject({ code: 'LEASE_LOST' })
  await store.transaction((tx) => assertHeld(tx, { name: 'duty', epoch: 2 }))
  if (second !== undefined) await releaseLease(store, second)
  await expect(joinFleet(store, { app: 'other', name: 'c' }, deps)).rejects.toMatchObject({ code: 'APP_CONFLICT' })
  await b.leave()
})

test('listening goes on after its connection was cut', async () => {
  const heard: string[] = []
  let wake = (): void => undefined
  const next = () =>
    new Promise<void>((resolve) => {
      wake = resolve
    })
  const connected = next()
  const hear = (payload: string): void => {
    heard.push(payload)
    wake()
  }
  const notifications = listen(store, { test_channel: hear }, { clock: systemClock, logger: silentLogger })
  await connected
  const again = next()
  await store.sql`select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen test_channel'`
  await again // told on connecting, because something may have been missed
  const told = next()
  const notify = coalescedNotify(store, 'test_channel', 1, () => undefined)
  for (let i = 0; i < 5; i += 1) notify()
  await told
  expect(heard).toEqual(['', '', ''])
  await notifications.stop()
})

test('listening that is stopped while it connects ends', async () => {
  const deps = { clock: systemClock, logger: silentLogger }
  const connected = { heard: 0 }
  // At once, and at any moment of connecting.
  for (let ms = 0; ms < 12; ms += 1) {
    const notifications = listen(store, { test_channel: () => (connected.heard += 1) }, deps)
    await new Promise((resolve) => setTimeout(resolve, ms))
    await notifications.stop()
  }
})

test('any array that Postgres writes is read back', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')))),
      async (values) => {
        const [row] = await store.sql<{ text: string }>`select (${values}::text[])::text as text`
        expect(parseArray(row?.text ?? '', (item) => item)).toEqual(values)
      },
    ),
    { numRuns: 50 },
  )
})

test('an address is shown without its password', () => {
  expect(publicUrl('postgres://me:secret@host/db')).toBe('postgres://me:***@host/db')
})

test('a connection that breaks in the moment it is ready fails what it is for, not the process', async () => {
  // Says that it is ready and that it ends in one breath, as Postgres does when it is killed just then.
  const message = (type: string, body: Buffer): Buffer => {
    const head = Buffer.alloc(5)
    head.write(type)
    head.writeInt32BE(body.length + 4, 1)
    return Buffer.concat([head, body])
  }
  const last = Buffer.concat([
    message('R', Buffer.alloc(4)),
    message('Z', Buffer.from('I')),
    message('E', Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0')),
  ])
  const dying = createServer((socket) => socket.on('error', () => undefined).once('data', () => socket.end(last)))
  dying.listen(0, '127.0.0.1')
  await once(dying, 'listening')
  const { port } = dying.address() as AddressInfo
  const url = `postgres://u:p@127.0.0.1:${port}/d`
  const doomed = openStore({ url, connections: 1, logger: silentLogger, applicationName: 'store test' })
  await expect(doomed.sql`select 1`).rejects.toThrow()
  await doomed.close()
  dying.close()
})
