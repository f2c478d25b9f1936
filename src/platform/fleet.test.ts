import { afterEach, beforeEach, expect, test } from 'vitest'
import { cache } from '../cache/cache-definition.ts'
import { on } from '../delivery/on.ts'
import { event } from '../events/event.ts'
import { table } from '../events/table.ts'
import { t } from '../kernel/schema.ts'
import { index } from '../search/index-definition.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import { type TestDatabase, testDatabase } from '../testing/test-postgres.ts'
import { app } from './app-definition.ts'

const films = table('films', { id: t.int(), title: t.string() }, { key: 'id' })
const film = cache('film', { from: films })
const catalog = index('catalog', { from: films, document: ({ title }) => ({ title }), search: ['title'] })
const receipts = table('receipts', { n: t.int() }, { key: 'n' })
const sold = event('sold', { n: t.int() }, { key: 'n' })
const receipt = on('receipt', sold, ({ data, sql }) => sql`insert into receipts values (${data.n})`)
const shop = app('shop', [film, catalog, receipts, receipt])

let database: TestDatabase
let first: TestApp
let second: TestApp
beforeEach(async () => {
  database = await testDatabase()
  first = await testApp(shop, { url: database.url, memberName: 'first' })
  second = await testApp(shop, { url: database.url, memberName: 'second' })
})
afterEach(async () => {
  await first?.stop()
  await second?.stop()
  await database?.drop()
})
const titleIn = (process: TestApp) => process.within(async () => (await film.get(1))?.title)

test('a change reaches the caches of both processes', async () => {
  await first.sql`insert into films values (1, 'old')`
  await Promise.all([first.settled(), second.settled()])
  expect([await titleIn(first), await titleIn(second)]).toEqual(['old', 'old'])
  await second.sql`update films set title = 'new'`
  await Promise.all([first.settled(), second.settled()])
  expect([await titleIn(first), await titleIn(second)]).toEqual(['new', 'new'])
})

test('when the process that captures stops, the other goes on; nothing is lost or done twice', async () => {
  expect((await first.operate('overview', {})).totals.members).toBe(2)
  await first.sql`insert into films values (1, 'before')`
  await Promise.all([first.settled(), second.settled()])
  expect(await titleIn(second)).toBe('before')
  const n = Array.from({ length: 60 }, (_, i) => i)
  const publishing = Promise.all(n.map((i) => (i % 2 === 0 ? first : second).publish(sold, { n: i })))
  await publishing
  await first.stop()
  await second.sql`update films set title = 'after'`
  await second.settled(20_000)
  expect(await titleIn(second)).toBe('after')
  expect((await second.within(() => catalog.search('after'))).total).toBe(1)
  expect(await second.sql`select n from receipts order by n`).toEqual(n.map((i) => ({ n: i })))
  const changes = await second.operate('events', { type: 'change:films' })
  expect(changes.events).toHaveLength(2)
  expect((await second.operate('overview', {})).totals.members).toBe(1)
})

test('settled of one process waits for followers that the other keeps', async () => {
  for (let n = 0; n < 40; n += 1) await first.publish(sold, { n })
  await second.settled()
  expect(await second.sql`select count(*)::int as n from receipts`).toEqual([{ n: 40 }])
})
