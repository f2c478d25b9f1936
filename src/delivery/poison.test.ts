import { expect, test } from 'vitest'
import { signal, until } from '../../test/support/until.ts'
import { event } from '../events/event.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import { testClock } from '../testing/test-clock.ts'
import { on } from './on.ts'

// What one handler does wrong touches its own key and nobody else.

const sent = event('sent', { key: t.string(), n: t.int() }, { key: 'key' })
const effects = {
  setup: ({ sql }: { sql: (s: TemplateStringsArray) => Promise<unknown> }) =>
    sql`create table if not exists effects (id serial primary key, key text, n int unique deferrable initially immediate)`,
}

/** In one turn, so that they stand together in the log and are handled as one batch. */
const publishAll = (running: TestApp, keys: string) =>
  Promise.all([...keys].map((key, i) => running.publish(sent, { key, n: i + 1 })))

const handled = async (running: TestApp): Promise<number[]> =>
  (await running.sql<{ n: number }>`select n from effects order by id`).map(({ n }) => n)

const trouble = (running: TestApp) =>
  running.sql<{ position: number; state: string; code: string }>`
    select position, state, error->>'code' as code from millrace.deliveries order by position`

test('a handler that fails only when it is repeated keeps the order of its key', async () => {
  const tries = new Map<number, number>()
  const flaky = on('flaky', sent, { backoff: { first: '1m' } }, async ({ data: { key, n }, sql }) => {
    await sql`insert into effects (key, n) values (${key}, ${n})`
    const tried = (tries.get(n) ?? 0) + 1
    tries.set(n, tried)
    // The third fails at first; that takes the first one back, which then fails when it is tried again.
    if ((n === 3 && tried === 1) || (n === 1 && tried === 2)) throw new Error(`no ${n}`)
  })
  const clock = testClock()
  await using running = await testApp(app('t', { sent, flaky }, effects), { clock })
  await publishAll(running, 'abaab')
  await running.settled()
  expect(await handled(running)).toEqual([2, 5])
  expect(await trouble(running)).toMatchObject([
    { position: 1, state: 'retrying' },
    { position: 3, state: 'held' },
    { position: 4, state: 'held' },
  ])
  clock.advance('5m')
  await until('all are handled', async () => (await handled(running)).length === 5)
  expect(await handled(running)).toEqual([2, 5, 1, 3, 4])
})

test('a handler that swallows an error of Postgres fails alone', async () => {
  const swallower = on('swallower', sent, { attempts: 1 }, async ({ data: { key, n }, sql }) => {
    await sql`insert into effects (key, n) values (${key}, ${n})`
    if (key === 'x') await sql`select 1 / 0`.catch(() => undefined)
  })
  await using running = await testApp(app('t', { sent, swallower }, effects))
  await publishAll(running, 'axbcxd')
  await running.settled()
  expect(await handled(running)).toEqual([1, 3, 4, 6])
  expect(await trouble(running)).toEqual([
    { position: 2, state: 'dead', code: 'TRANSACTION_ABORTED' },
    { position: 5, state: 'dead', code: 'TRANSACTION_ABORTED' },
  ])
})

test('a constraint that is checked at commit fails only whose effect broke it', async () => {
  const late = on('late', sent, { attempts: 2, backoff: { first: '1m' } }, async ({ data: { key, n }, sql }) => {
    await sql`set constraints all deferred`
    await sql`insert into effects (key, n) values (${key}, ${key === 'x' ? 1 : n})`
  })
  const clock = testClock()
  await using running = await testApp(app('t', { sent, late }, effects), { clock })
  await publishAll(running, 'abxc')
  await running.settled()
  expect(await handled(running)).toEqual([1, 2, 4])
  expect(await trouble(running)).toEqual([{ position: 3, state: 'retrying', code: '23505' }])
  clock.advance('5m')
  await until('it is a dead letter', async () => (await trouble(running))[0]?.state === 'dead')
})

test('handlers at work beside the one that failed are not blamed', async () => {
  const beside = on('beside', sent, { concurrency: 4, attempts: 1 }, async ({ data: { key, n }, sql }) => {
    if (key === 'x') await sql`select 1 / 0`
    // Refused now, because the transaction is shared.
    else await sql`insert into effects (key, n) select ${key}, ${n} from pg_sleep(0.002)`
  })
  await using running = await testApp(app('t', { sent, beside }, effects))
  await publishAll(running, 'abcxdef')
  await running.settled()
  expect((await handled(running)).toSorted()).toEqual([1, 2, 3, 5, 6, 7])
  expect(await trouble(running)).toEqual([{ position: 4, state: 'dead', code: '22012' }])
})

test('a handler whose time is up is told by its signal, and what it does later is refused', async () => {
  const over = signal()
  let refused: unknown
  const slow = on(
    'slow',
    sent,
    { timeout: 50, attempts: 1 },
    async ({ data: { key, n }, sql, publish, signal: told }) => {
      if (key !== 'x') return void (await sql`insert into effects (key, n) values (${key}, ${n})`)
      await new Promise((resolve) => told.addEventListener('abort', resolve))
      await until('it is set aside', async () => (await trouble(running)).length === 1)
      const outcomes = await Promise.allSettled([
        sql`insert into effects (key, n) values ('late', 99)`,
        publish(sent, { key: 'late', n: 99 }),
      ])
      refused = outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.code)
      over.tell()
    },
  )
  await using running = await testApp(app('t', { sent, slow }, effects))
  await publishAll(running, 'axb')
  await over.done
  await running.settled()
  expect(refused).toEqual(['TRANSACTION_ENDED', 'TRANSACTION_ENDED'])
  expect(await handled(running)).toEqual([1, 3])
  expect(
    await running.sql`select 1 from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`,
  ).toEqual([])
})

test('an event that Postgres refuses to store fails only the handler that published it', async () => {
  const free = event('free', { text: t.string() }, { key: 'text' })
  const teller = on('teller', sent, { attempts: 1 }, async ({ data: { key, n }, sql, publish }) => {
    await sql`insert into effects (key, n) values (${key}, ${n})`
    await publish(free, { text: key === 'x' ? 'a\0b' : key })
  })
  await using running = await testApp(app('t', { sent, free, teller }, effects))
  await publishAll(running, 'axb')
  await running.settled()
  expect(await handled(running)).toEqual([1, 3])
  expect(await trouble(running)).toEqual([{ position: 2, state: 'dead', code: 'INPUT_INVALID' }])
})

test('others go on while what was held behind a failure is worked off', async () => {
  const order: string[] = []
  let mended = false
  const drain = on('drain', sent, { backoff: { first: '1m' } }, ({ data: { key, n } }) => {
    if (key === 'x' && !mended) throw new Error('not yet')
    order.push(key === 'x' ? 'held' : 'other')
    if (order.length === 100) void running.publish(sent, { key: 'y', n })
  })
  const clock = testClock()
  await using running = await testApp(app('t', { sent, drain }), { clock })
  await publishAll(running, 'x'.repeat(500))
  await running.settled()
  mended = true
  clock.advance('5m')
  await until('all are handled', () => order.length === 501, 20_000)
  expect(order.indexOf('other')).toBeLessThan(450)
})

test('an app that stops does not wait for a handler that does not listen', async () => {
  const begun = signal()
  const deaf = on('deaf', sent, () => {
    begun.tell()
    return new Promise(() => undefined)
  })
  await using first = await testApp(app('t', { sent }))
  const second = await testApp(app('t', { sent, deaf }), { url: first.databaseUrl })
  await second.publish(sent, { key: 'k', n: 1 })
  await begun.done
  const since = performance.now()
  await second.stop()
  expect(performance.now() - since).toBeLessThan(5000)
  expect(await trouble(first)).toEqual([])
})

test.each([
  [{ concurrency: 0 }],
  [{ concurrency: 1.5 }],
  [{ attempts: 0 }],
  [{ attempts: Number.NaN }],
  [{ timeout: 0 }],
  [{ timeout: '30d' }],
  [{ timeout: 'soon' }],
  [{ backoff: { first: 'soon' } }],
  [{ backoff: { factor: 0 } }],
])('the options %o are refused where they are written', (options) => {
  expect(() => on('wrong', sent, options, () => undefined)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
})
