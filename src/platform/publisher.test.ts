import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { on } from '../delivery/on.ts'
import { event } from '../events/event.ts'
import { t } from '../kernel/schema.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import { app } from './app-definition.ts'

const noted = event('noted', { text: t.string() })
let heard: string[] = []
const listener = on('listener', noted, ({ data }) => {
  heard.push(data.text)
})

let shop: TestApp
let client: pg.Client
beforeAll(async () => {
  shop = await testApp(app('shop', [listener]))
  client = new pg.Client({ connectionString: shop.databaseUrl })
  await client.connect()
  await client.query('create table notes (text text)')
})
afterAll(async () => {
  await client?.end()
  await shop?.stop()
})
const heardNow = (): string[] => {
  const now = heard
  heard = []
  return now
}

test("an event in a user's own transaction is delivered once that commits, not before", async () => {
  await client.query('begin')
  await client.query(`insert into notes values ('mine')`)
  await shop.publish(noted, { text: 'mine' }, { client })
  // Whoever commits meanwhile is not held up, and does not carry it along.
  await shop.publish(noted, { text: 'other' })
  await shop.settled()
  expect(heardNow()).toEqual(['other'])
  await client.query('commit')
  await shop.settled()
  expect(heardNow()).toEqual(['mine'])
})

test('it is delivered without anybody asking, too', async () => {
  await client.query('begin')
  await shop.publish(noted, { text: 'by itself' }, { client })
  await client.query('commit')
  await expect.poll(heardNow, { timeout: 5000 }).toEqual(['by itself'])
})

test('what is rolled back never was', async () => {
  await client.query('begin')
  await shop.publish(noted, { text: 'regretted' }, { client })
  await client.query('rollback')
  await shop.publish(noted, { text: 'after' })
  await shop.settled()
  expect(heardNow()).toEqual(['after'])
  expect(await shop.sql`select 1 from millrace.events where data->>'text' = 'regretted'`).toEqual([])
})

test('a transaction commits its statements with its events, or neither', async () => {
  const work = (fail: boolean) =>
    shop.transaction(async ({ sql, publish }) => {
      await sql`insert into notes values ('both')`
      await publish(noted, { text: 'both' })
      if (fail) throw new Error('changed my mind')
      return 'done'
    })
  await expect(work(true)).rejects.toThrow('changed my mind')
  expect(await shop.sql`select 1 from notes where text = 'both'`).toHaveLength(0)
  expect(await work(false)).toBe('done')
  await shop.settled()
  expect(heardNow()).toEqual(['both'])
  expect(await shop.sql`select 1 from notes where text = 'both'`).toHaveLength(1)
})

test('data that does not fit is refused before anything is written, and the field is named', async () => {
  await expect(shop.publish(noted, { text: 7 } as never)).rejects.toMatchObject({
    code: 'INPUT_INVALID',
    issues: [{ path: '/text' }],
  })
  await client.query('begin')
  await expect(shop.publish(noted, {} as never, { client })).rejects.toMatchObject({ code: 'INPUT_INVALID' })
  // The transaction is unharmed.
  await shop.publish(noted, { text: 'still fine' }, { client })
  await client.query('commit')
  await shop.settled()
  expect(heardNow()).toEqual(['still fine'])
})
