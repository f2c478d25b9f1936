import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunningApp, startApp } from 'millrace'
import { afterAll, beforeAll, expect, test } from 'vitest'
import filmShop from '../src/app.ts'
import { sendShoppers } from '../src/shoppers.ts'

let directory = ''
let shop: RunningApp

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'film-shop-'))
  shop = await startApp(filmShop, { location: { kind: 'embedded', directory, fast: true }, http: { port: 0 } })
})
afterAll(async () => {
  await shop?.stop()
  await rm(directory, { recursive: true, force: true })
})

interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
  json: any
}

async function ask(method: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(`${shop.url}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
  return { status: response.status, json: await response.json() }
}

test('a film is found by its number and by what its title sounds like', async () => {
  expect((await ask('GET', '/films/1')).json).toMatchObject({ id: 1, title: 'The Land Girls', price: 1199 })
  expect((await ask('GET', '/films/99999')).status).toBe(404)
  expect((await ask('GET', '/films/x')).json).toMatchObject({ code: 'INPUT_INVALID', issues: [{ path: '/id' }] })
  for (const query of ['star+wars', 'star+wras']) {
    expect((await ask('GET', `/search?q=${query}`)).json.hits[0].title).toMatch(/^Star Wars/)
  }
  expect((await ask('GET', '/search?q=godfahter')).json.hits[0].title).toMatch(/Godfather/)
})

test('a change made with plain SQL shows in the film and in the search', async () => {
  await ask('GET', '/films/290')
  await shop.sql`update films set title = 'Empire, the Musical', stock = 0 where id = 290`
  await shop.settled()
  expect((await ask('GET', '/films/290')).json.title).toBe('Empire, the Musical')
  expect((await ask('GET', '/search?q=empire+musical')).json.hits[0]).toMatchObject({ id: 290, inStock: false })
})

test('an order takes from the shelf and gets a receipt; what is not there cannot be ordered', async () => {
  expect((await ask('PATCH', '/films/7', { stock: 3, price: 500 })).json).toMatchObject({ stock: 3, price: 500 })
  const { status, json } = await ask('POST', '/orders', { film: 7, quantity: 2 })
  expect([status, json.total]).toEqual([201, 1000])
  expect(await ask('POST', '/orders', { film: 7, quantity: 2 })).toMatchObject({
    status: 409,
    json: { code: 'CONFLICT' },
  })
  expect((await ask('POST', '/orders', { film: 99999, quantity: 1 })).status).toBe(404)
  expect((await ask('PATCH', '/films/7', { prise: 1 })).json).toMatchObject({ issues: [{ path: '/prise' }] })
  await shop.settled()
  expect((await ask('GET', '/films/7')).json.stock).toBe(1)
  expect(await shop.sql`select * from receipts where "order" = ${json.order}`).toHaveLength(1)
})

test('after a rush every order has one receipt, and the cache says what the table says', async () => {
  const home = new AbortController()
  setTimeout(() => home.abort(), 2000)
  const tally = await sendShoppers({ url: String(shop.url), perSecond: 200, signal: home.signal })
  expect(tally).toMatchObject({ failed: 0 })
  await shop.settled()
  const [counts] = await shop.sql<{ orders: number; receipts: number }>`
    select (select count(*) from orders) as orders, (select count(*) from receipts) as receipts`
  expect(counts?.receipts).toBe(counts?.orders)
  expect(counts?.orders).toBeGreaterThan(1)
  for (const row of await shop.sql`select * from films order by id limit 300`) {
    expect((await ask('GET', `/films/${row['id']}`)).json).toEqual(row)
  }
})
