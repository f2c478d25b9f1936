import { expect, test } from 'vitest'
import { on } from '../delivery/on.ts'
import { event } from '../events/event.ts'
import { route } from '../gateway/route.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import { appendAll, stream } from './stream.ts'

const opened = event('account.opened', { owner: t.string() })
const deposited = event('account.deposited', { amount: t.int() })
const withdrawn = event('account.withdrawn', { amount: t.int() })

const events = { opened, deposited, withdrawn }
const initial = () => ({ balance: 0, events: 0 })
const account = stream('account', {
  events,
  initial,
  evolve: (state, { type, data }) => ({
    balance: state.balance + (type === 'deposited' ? data.amount : type === 'withdrawn' ? -data.amount : 0),
    events: state.events + 1,
  }),
})
const deposit = (amount: number) => ({ type: 'deposited', data: { amount } }) as const
const withdraw = (amount: number) => ({ type: 'withdrawn', data: { amount } }) as const

const start = (): Promise<TestApp> => testApp(app('bank', { account }))

test('events of a stream are appended in order, read either way, and add up to its state', async () => {
  await using bank = await start()
  expect(await account.append('a', [{ type: 'opened', data: { owner: 'Ada' } }, deposit(10)])).toBe(2)
  expect(await account.append('a', [withdraw(3)])).toBe(3)
  expect(await account.load('a')).toEqual({ state: { balance: 7, events: 3 }, revision: 3 })
  expect(await account.load('nobody')).toEqual({ state: initial(), revision: 0 })
  const read = await account.read('a')
  expect(read.map(({ revision, type, data }) => ({ revision, type, data }))).toEqual([
    { revision: 1, type: 'opened', data: { owner: 'Ada' } },
    { revision: 2, type: 'deposited', data: { amount: 10 } },
    { revision: 3, type: 'withdrawn', data: { amount: 3 } },
  ])
  const revisions = async (...args: Parameters<typeof account.read>) =>
    (await account.read(...args)).map(({ revision }) => revision)
  expect(await revisions('a', { direction: 'backward' })).toEqual([3, 2, 1])
  expect(await revisions('a', { direction: 'backward', from: 2, limit: 1 })).toEqual([2])
  expect(await revisions('a', { from: 2 })).toEqual([2, 3])
  expect(await revisions('a', { to: 2 })).toEqual([1, 2])
  expect(await revisions('a', { asOf: 1 })).toEqual([1])
  expect((await account.load('a', { asOf: 2 })).state.balance).toBe(10)
  expect((await account.load('a', { asOf: read[1]?.at ?? new Date() })).revision).toBe(2)
  await bank.settled()
  expect(await bank.sql`select key, meta->>'revision' as r from millrace.events order by ordinal`).toEqual([
    { key: 'account:a', r: '1' },
    { key: 'account:a', r: '2' },
    { key: 'account:a', r: '3' },
  ])
})

test('an append whose expectation does not hold writes nothing and says what it found', async () => {
  await using bank = await start()
  await expect(account.append('a', [deposit(1)], { expect: 'exists' })).rejects.toMatchObject({
    code: 'STREAM_CONFLICT',
  })
  await expect(account.append('a', [deposit(1)], { expect: 1 })).rejects.toMatchObject({
    code: 'STREAM_CONFLICT',
    message: 'the stream "account:a" has no events, expected was revision 1',
  })
  expect(await account.append('a', [deposit(1)], { expect: 'none' })).toBe(1)
  await expect(account.append('a', [deposit(1)], { expect: 'none' })).rejects.toMatchObject({ code: 'STREAM_CONFLICT' })
  await expect(account.append('a', [deposit(1)], { expect: 0 })).rejects.toMatchObject({
    message: 'the stream "account:a" is at revision 1, expected was revision 0',
  })
  expect(await account.append('a', [deposit(1)], { expect: 1 })).toBe(2)
  expect(await account.append('a', [deposit(1)], { expect: 'exists' })).toBe(3)
  expect(await account.append('a', [deposit(1)])).toBe(4)
  await expect(account.append('a', [], { expect: 3 })).rejects.toMatchObject({ code: 'STREAM_CONFLICT' })
  expect(await account.append('a', [], { expect: 4 })).toBe(4)
  expect(await bank.sql`select count(*)::int as n from millrace.events`).toEqual([{ n: 4 }])
})

test('several streams are appended to together or not at all', async () => {
  await using bank = await start()
  await account.append('a', [deposit(10)])
  const transfer = (expectA: number) =>
    appendAll([account.pending('a', [withdraw(4)], { expect: expectA }), account.pending('b', [deposit(4)])])
  await expect(transfer(7)).rejects.toMatchObject({
    code: 'STREAM_CONFLICT',
    message: expect.stringContaining('account:a'),
  })
  expect((await account.load('b')).revision).toBe(0)
  expect(await transfer(1)).toEqual([2, 1])
  expect((await account.load('a')).state.balance).toBe(6)
  expect((await account.load('b')).state.balance).toBe(4)
  await expect(
    appendAll([account.pending('a', [deposit(1)]), account.pending('a', [deposit(1)])]),
  ).rejects.toMatchObject({
    code: 'OPTION_INVALID',
  })
  await bank.settled()
})

test('an append in a transaction exists exactly if that commits, and one that stays open holds up no other stream', async () => {
  await using bank = await start()
  const client = await bank.store.connect()
  await client.query('begin')
  await account.append('held', [deposit(1)], { within: { client } })
  const waiting = account.append('held', [deposit(2)])
  const others = await Promise.all(Array.from({ length: 50 }, (_, i) => account.append(`s${i % 10}`, [deposit(1)])))
  expect(others).toHaveLength(50)
  await client.query('rollback')
  await client.end()
  expect(await waiting).toBe(1)

  await expect(
    bank.transaction(async (tx) => {
      await account.append('gone', [deposit(1)], { within: tx })
      throw new Error('regretted')
    }),
  ).rejects.toThrow('regretted')
  expect((await account.load('gone')).revision).toBe(0)
})

test('concurrent updates lose nothing', async () => {
  await using bank = await start()
  await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      account.update(`u${i % 2}`, ({ events }) => (events < 100 ? [deposit(1)] : []), { attempts: 100 }),
    ),
  )
  expect((await account.load('u0')).state).toEqual({ balance: 20, events: 20 })
  expect((await account.load('u1')).state).toEqual({ balance: 20, events: 20 })
  const { state, revision } = await account.update('u0', () => [withdraw(5)])
  expect({ state, revision }).toEqual({ state: { balance: 15, events: 21 }, revision: 21 })
  await bank.settled()
})

test('a snapshot spares reading, is used only in its version, and never shows another state', async () => {
  let evolved = 0
  const counted = (version: number) =>
    stream('account', {
      events,
      initial,
      evolve: (state, { type, data }) => {
        evolved += 1
        return { balance: state.balance + (type === 'deposited' ? data.amount * version : 0), events: state.events + 1 }
      },
      snapshot: { every: 10, version },
    })
  const [first, second] = [counted(1), counted(2)]
  await using bank = await testApp(app('bank', { first }))
  await first.append(
    'a',
    Array.from({ length: 25 }, () => deposit(1)),
  )
  await first.load('a')
  await expect.poll(async () => (await bank.sql`select revision from millrace.snapshots`).length).toBe(1)
  await first.append('a', [deposit(1)])
  evolved = 0
  expect((await first.load('a')).state.balance).toBe(26)
  expect(evolved).toBe(1)
  expect((await first.load('a', { asOf: 5 })).state.balance).toBe(5)
  await bank.stop()
  await using later = await testApp(app('bank', { second }))
  await second.append('a', [deposit(1)])
  expect((await second.load('a')).state.balance).toBe(2)
  await later.settled()
})

test('an inline projection commits with its append, and refuses it', async () => {
  const guarded = stream('account', {
    events,
    initial,
    evolve: (state) => state,
    inline: async ({ id, events: appended, sql }) => {
      for (const { type, data } of appended) {
        const amount = type === 'deposited' ? data.amount : type === 'withdrawn' ? -data.amount : 0
        await sql`insert into balances values (${id}, 0) on conflict do nothing`
        await sql`update balances set amount = amount + ${amount} where id = ${id}`
      }
    },
  })
  const setup = ({ sql }: { sql: TestApp['sql'] }) =>
    sql`create table if not exists balances (id text primary key, amount int check (amount >= 0))`
  await using bank = await testApp(app('bank', { guarded }, { setup }))
  await guarded.append('a', [deposit(10), withdraw(4)])
  await expect(guarded.append('a', [withdraw(7)])).rejects.toMatchObject({ code: '23514' })
  expect(await bank.sql`select * from balances`).toEqual([{ id: 'a', amount: 6 }])
  expect((await guarded.load('a')).revision).toBe(2)
})

test('wrong use is refused with what and how', async () => {
  await using bank = await start()
  await expect(account.append('', [deposit(1)])).rejects.toMatchObject({ code: 'INPUT_INVALID' })
  await expect(account.append('a', [{ type: 'deposited', data: { amount: 'x' } } as never])).rejects.toMatchObject({
    code: 'INPUT_INVALID',
  })
  await expect(account.append('a', [{ type: 'lent', data: {} } as never])).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    hint: 'Its events: opened, deposited, withdrawn.',
  })
  await expect(account.append('a', [deposit(1)], { expect: -1 })).rejects.toMatchObject({ code: 'OPTION_INVALID' })
  expect((await account.load('a')).revision).toBe(0)
  await bank.settled()
})

test('correlation, cause and traceparent go from a request through streams and handlers', async () => {
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const noticed = event('noticed', { amount: t.int() })
  const chain = [
    route('POST /deposits', ({ transaction }) =>
      transaction(async (tx) => ({ revision: await account.append('a', [deposit(1)], { within: tx }) })),
    ),
    on('notice', deposited, async ({ data, publish }) => {
      await publish(noticed, data)
    }),
    on('book', noticed, async (context) => {
      await account.append('book', [withdraw(context.data.amount)], { within: context })
    }),
  ]
  await using bank = await testApp(app('bank', [account, noticed, chain]), { http: true })
  const answer = await fetch(`${bank.url}/deposits`, { method: 'POST', headers: { traceparent } })
  expect(await answer.json()).toEqual({ revision: 1 })
  const log = () =>
    bank.sql<{ type: string; meta: Record<string, unknown> }>`select type, meta from millrace.events order by ordinal`
  await expect.poll(async () => (await log()).length).toBe(3)
  await bank.settled()
  const [first, second, third] = await log()
  expect(first).toMatchObject({ type: 'account.deposited', meta: { traceparent: expect.stringContaining('4bf92f35') } })
  const correlation = second?.meta['correlation']
  expect(correlation).toBeTypeOf('string')
  expect(second).toMatchObject({ type: 'noticed', meta: { cause: 1, traceparent: first?.meta['traceparent'] } })
  expect(third).toMatchObject({ type: 'account.withdrawn', meta: { cause: 2, correlation } })
})
