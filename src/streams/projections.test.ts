import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { event } from '../events/event.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import { testDatabase } from '../testing/test-postgres.ts'
import { projection } from './projection.ts'
import { stream } from './stream.ts'

const deposited = event('account.deposited', { amount: t.int() })
const account = stream('account', { events: { deposited }, initial: () => 0, evolve: (n: number) => n + 1 })
const savings = stream('savings', { events: { deposited }, initial: () => 0, evolve: (n: number) => n + 1 })
const deposit = (amount: number) => ({ type: 'deposited', data: { amount } }) as const

/** Balances in units of `factor`, so that versions differ. */
const balances = (version: number, factor: number, hold: () => Promise<unknown> = async () => undefined) =>
  projection('balances', {
    from: account,
    version,
    setup: ({ sql, table }) => sql.query(`create table ${table} (id text primary key, amount int not null)`),
    handle: async ({ event: { key, data }, sql, table }) => {
      await hold()
      await sql.query(
        `insert into ${table} as b values ($1, $2) on conflict (id) do update set amount = b.amount + excluded.amount`,
        [key, data.amount * factor],
      )
    },
  })

const shown = (bank: TestApp) => bank.sql<{ id: string; amount: number }>`select * from balances order by id`
const generations = async (bank: TestApp) =>
  (await bank.sql<{ live: number; building: number | null }>`select live, building from millrace.projections`)[0]

test('a projection is a table computed from the events of its stream', async () => {
  await using bank = await testApp(app('bank', [account, savings, balances(1, 1)]))
  await account.append('a', [deposit(1), deposit(2)])
  await savings.append('a', [deposit(100)])
  await account.append('b', [deposit(5)])
  await expect
    .poll(() => shown(bank))
    .toEqual([
      { id: 'a', amount: 3 },
      { id: 'b', amount: 5 },
    ])
  await expect.poll(() => generations(bank)).toEqual({ live: 1, building: null })
})

test('a new version is built beside the old one, which serves until the new one has everything', async () => {
  const database = await testDatabase()
  const { url } = database
  try {
    await using old = await testApp(app('bank', [account, balances(1, 1)]), { url, memberName: 'old' })
    for (let n = 0; n < 20; n += 1) await account.append(`k${n % 4}`, [deposit(1)])
    await expect.poll(() => generations(old)).toEqual({ live: 1, building: null })

    let release = (): void => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    await using next = await testApp(app('bank', [account, balances(2, 10, () => held)]), { url, memberName: 'new' })
    expect(await generations(next)).toEqual({ live: 1, building: 2 })
    // While it is built, the old code keeps the old version up to date.
    await old.within(() => account.append('k0', [deposit(1)]))
    await expect.poll(async () => (await shown(next))[0]).toEqual({ id: 'k0', amount: 6 })
    release()
    await expect.poll(() => generations(next)).toEqual({ live: 2, building: null })
    expect(await shown(next)).toEqual([
      { id: 'k0', amount: 60 },
      { id: 'k1', amount: 50 },
      { id: 'k2', amount: 50 },
      { id: 'k3', amount: 50 },
    ])
    expect(await next.sql`select to_regclass('balances_1') as old`).toEqual([{ old: null }])
  } finally {
    await database.drop()
  }
})

test('a rebuild under concurrent appends loses nothing and shows no gap', async () => {
  await using bank = await testApp(app('bank', [account, balances(1, 1)]))
  for (let n = 0; n < 200; n += 1) await account.append(`k${n % 5}`, [deposit(1)])
  await expect.poll(async () => (await generations(bank))?.live).toBe(1)
  let writing = true
  let written = 200
  const writers = (async () => {
    while (writing) {
      await Promise.all(Array.from({ length: 5 }, (_, k) => account.append(`k${k}`, [deposit(1)])))
      written += 5
      await sleep(10) // slower than a projection takes them in, or it never catches up
    }
  })()
  const sums: number[] = []
  const watching = (async () => {
    while (writing) sums.push((await bank.sql<{ n: number }>`select sum(amount)::int as n from balances`)[0]?.n ?? 0)
  })()
  try {
    for (const generation of [2, 3]) {
      expect(await bank.rebuildProjection('balances')).toBe(true)
      await expect.poll(async () => (await generations(bank))?.live, { timeout: 30_000 }).toBe(generation)
    }
  } finally {
    writing = false
    await Promise.all([writers, watching])
  }
  await expect.poll(async () => (await bank.sql`select sum(amount)::int as n from balances`)[0]).toEqual({ n: written })
  // Nobody ever saw a projection that had just begun.
  expect(Math.min(...sums)).toBeGreaterThan(0)
  expect(await bank.rebuildProjection('nothing')).toBe(false)
})
