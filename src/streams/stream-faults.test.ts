import { expect, test } from 'vitest'
import { event } from '../events/event.ts'
import { newRecord } from '../events/publish.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import { AppendGroup } from './append-group.ts'
import { stream } from './stream.ts'

const deposited = event('account.deposited', { amount: t.int() })
const base = { events: { deposited }, initial: () => ({ n: 0 }), evolve: (s: { n: number }) => ({ n: s.n + 1 }) }
const one = { type: 'deposited', data: { amount: 1 } } as const
const many = (n: number) => Array.from({ length: n }, () => one)

test('what a transaction saw before it was rolled back is never a snapshot', async () => {
  const account = stream('account', { ...base, snapshot: { every: 5, version: 1 } })
  await using bank = await testApp(app('bank', { account }))
  const regretted = bank.transaction(async (tx) => {
    await account.append('a', many(10), { within: tx })
    await account.update('a', () => [one], { within: tx })
    throw new Error('regretted')
  })
  await expect(regretted).rejects.toThrow('regretted')
  // Snapshots are written one after another: with that of b, one of a would be there.
  await account.append('b', many(10))
  await account.load('b')
  await expect.poll(() => bank.sql`select stream from millrace.snapshots`).toEqual([{ stream: 'account:b' }])
  expect(await account.load('a')).toEqual({ state: { n: 0 }, revision: 0 })
})

test('a connection that is lost after the commit makes nothing stand there twice', async () => {
  const account = stream('account', base)
  await using bank = await testApp(app('bank', { account }))
  let lost = false
  const run: TestApp['store']['run'] = async <R extends object>(...query: Parameters<TestApp['store']['run']>) => {
    const rows = await bank.store.run<R>(...query)
    if (lost) return rows
    lost = true
    throw new Error('Connection terminated unexpectedly')
  }
  const group = new AppendGroup({ ...bank.store, run }, () => undefined)
  const append = (name: string) =>
    ({ stream: name, expect: 'any', records: [newRecord(deposited, { amount: 1 })] }) as const
  const outcomes = await Promise.allSettled([group.add(append('account:x')), group.add(append('account:y'))])
  // The caller is told that it is not known.
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect([(await account.load('x')).revision, (await account.load('y')).revision]).toEqual([1, 1])
})

test("an append that its inline projection refused leaves nothing in the caller's transaction", async () => {
  const refused = async (): Promise<never> => {
    throw new Error('refused')
  }
  const account = stream('account', { ...base, inline: refused })
  await using bank = await testApp(app('bank', { account }))
  await bank.transaction(async (tx) => {
    await expect(account.append('a', [one], { within: tx })).rejects.toThrow('refused')
  })
  expect((await account.load('a')).revision).toBe(0)
})

test('many streams that somebody holds do not take the connections of the others', async () => {
  const account = stream('account', base)
  await using bank = await testApp(app('bank', { account }))
  const client = await bank.store.connect()
  await client.query('begin')
  for (let i = 0; i < 14; i += 1) await account.append(`held${i}`, [one], { within: { client } })
  const waiting = Array.from({ length: 14 }, (_, i) => account.append(`held${i}`, [one]))
  // Before these are through, the held ones have been met and set aside.
  for (let i = 0; i < 20; i += 1) expect(await account.append(`free${i}`, [one])).toBe(1)
  await client.query('rollback')
  await client.end()
  expect(await Promise.all(waiting)).toEqual(waiting.map(() => 1))
})

test('the pointers of a stream follow events that a restored log writes anew', async () => {
  const account = stream('account', base)
  await using bank = await testApp(app('bank', { account }))
  await account.append('a', [one, one])
  await bank.settled()
  const client = await bank.store.connect()
  await client.query('begin; select pg_advisory_xact_lock(6411904218)') // the sequencer stands still
  await account.append('a', [one])
  await client.query('select millrace.continue_after_restore()')
  await client.query('commit')
  await client.end()
  expect((await account.load('a')).revision).toBe(3)
  expect((await account.read('a')).map(({ revision }) => revision)).toEqual([1, 2, 3])
})
