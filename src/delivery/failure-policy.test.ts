import { expect, test } from 'vitest'
import { until } from '../../test/support/until.ts'
import { event } from '../events/event.ts'
import { PlatformError } from '../kernel/errors.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import { testClock } from '../testing/test-clock.ts'
import { on } from './on.ts'
import { nextWaitMs } from './retry-policy.ts'

// What becomes of an event that fails is chosen per consumer.

const sent = event('sent', { key: t.string(), n: t.int() }, { key: 'key' })
const effects = {
  setup: ({ sql }: { sql: (s: TemplateStringsArray) => Promise<unknown> }) =>
    sql`create table if not exists effects (id serial primary key, key text, n int)`,
}
const publishAll = (running: TestApp, keys: string) =>
  Promise.all([...keys].map((key, i) => running.publish(sent, { key, n: i + 1 })))
const handled = async (running: TestApp): Promise<number[]> =>
  (await running.sql<{ n: number }>`select n from effects order by id`).map(({ n }) => n)
const trouble = (running: TestApp) =>
  running.sql<{ position: number; state: string }>`select position, state from millrace.deliveries order by position`

test('with `dead-letter` the key goes on while its event is tried again, and when that is given up', async () => {
  const clock = testClock()
  const careless = on(
    'careless',
    sent,
    { onFailure: 'dead-letter', attempts: 2, backoff: { every: '1m' } },
    async ({ data: { key, n }, sql }) => {
      if (n === 2) throw new Error('no 2')
      await sql`insert into effects (key, n) values (${key}, ${n})`
    },
  )
  await using running = await testApp(app('t', { careless }, effects), { clock })
  await publishAll(running, 'aaaa')
  await running.settled()
  expect(await handled(running)).toEqual([1, 3, 4])
  expect(await trouble(running)).toEqual([{ position: 2, state: 'retrying' }])
  clock.advance('1m')
  await until('it is given up', async () => (await trouble(running))[0]?.state === 'dead')
})

test('with `stop` the consumer pauses itself in all processes, says why, and tries again when resumed', async () => {
  let mended = false
  const strict = (name: string) =>
    on(
      'strict',
      sent,
      { onFailure: 'stop', attempts: 2, backoff: 'immediate', start: 'beginning' },
      async ({ data: { key, n }, sql }) => {
        if (n === 2 && !mended) throw new Error(`no ${n} in ${name}`)
        await sql`insert into effects (key, n) values (${key}, ${n})`
      },
    )
  await using first = await testApp(app('t', { sent, strict: strict('first') }, effects), { memberName: 'first' })
  await using second = await testApp(app('t', { strict: strict('second') }, effects), {
    url: first.databaseUrl,
    memberName: 'second',
  })
  await publishAll(first, 'aaab')
  const stopped = () =>
    first.sql<{
      paused: boolean
      by: { position: number; message: string } | null
    }>`select paused, stopped_by as by from millrace.consumers`
  await until('it is paused', async () => (await stopped())[0]?.paused === true)
  expect((await stopped())[0]?.by).toMatchObject({
    position: 2,
    code: 'Error',
    message: expect.stringMatching(/^no 2/),
  })
  await Promise.all([first.settled(), second.settled()])
  expect((await trouble(first))[0]).toEqual({ position: 2, state: 'retrying' })
  expect((await handled(first)).filter((n) => n < 4)).toEqual([1])

  mended = true
  await first.operate('resumeConsumer', { consumer: 'strict', by: 'test', reason: 'mended' })
  await until('all are handled', async () => (await handled(first)).length === 4)
  expect((await handled(first)).filter((n) => n < 4)).toEqual([1, 2, 3])
  expect(await stopped()).toEqual([{ paused: false, by: null }])
})

test.each([
  ['an error that says so', () => Object.assign(new Error('declined'), { retryable: false })],
  ['a platform error by its code', () => new PlatformError('INPUT_INVALID', 'no such film')],
])('%s is not tried again', async (_, make) => {
  let tries = 0
  const final = on('final', sent, () => {
    tries += 1
    throw make()
  })
  await using running = await testApp(app('t', { final }))
  await publishAll(running, 'a')
  await running.settled()
  expect(await trouble(running)).toEqual([{ position: 1, state: 'dead' }])
  expect(tries).toBe(1)
})

test('a fallback handles what is given up, in a transaction of its own; the outcome tells', async () => {
  const told = event('told', { n: t.int() })
  const brave = on(
    'brave',
    sent,
    {
      attempts: 1,
      fallback: async ({ data: { key, n }, sql, publish }, error) => {
        await sql`insert into effects (key, n) values (${`${key}: ${(error as Error).message}`}, ${n})`
        await publish(told, { n })
        if (n === 3) throw new Error('even the fallback')
      },
    },
    async ({ data: { n }, sql }) => {
      await sql`insert into effects (key, n) values ('handler', ${n})`
      if (n > 1) throw new Error(`no ${n}`)
    },
  )
  await using running = await testApp(app('t', { brave, told }, effects))
  await publishAll(running, 'abcb')
  await running.settled()
  expect(await running.sql`select key, n from effects order by n`).toEqual([
    { key: 'handler', n: 1 },
    { key: 'b: no 2', n: 2 },
    { key: 'b: no 4', n: 4 },
  ])
  expect(
    await running.sql`select (data->>'n')::int as n, (meta->>'cause')::int as cause from millrace.events where type = 'told' order by ordinal`,
  ).toEqual([
    { n: 2, cause: 2 },
    { n: 4, cause: 4 },
  ])
  expect(await running.sql`select position, state, error->>'message' as message from millrace.deliveries`).toEqual([
    { position: 3, state: 'dead', message: 'no 3' },
  ])
  expect(
    await running.sql`select first, outcome from millrace.passages where follower = 'brave' and outcome = 'fallback' order by first`,
  ).toEqual([
    { first: 2, outcome: 'fallback' },
    { first: 4, outcome: 'fallback' },
  ])
})

test('a fallback of an event that was tried again frees its key', async () => {
  const brave = on(
    'brave',
    sent,
    {
      attempts: 2,
      backoff: 'immediate',
      fallback: ({ data: { key, n }, sql }) => sql`insert into effects (key, n) values (${key}, ${n})`,
    },
    async ({ data: { key, n }, sql }) => {
      if (n === 1) throw new Error('no 1')
      await sql`insert into effects (key, n) values (${key}, ${n})`
    },
  )
  await using running = await testApp(app('t', { brave }, effects))
  await publishAll(running, 'aaa')
  await until('all are handled', async () => (await handled(running)).length === 3)
  expect(await handled(running)).toEqual([1, 2, 3])
  expect(await trouble(running)).toEqual([])
})

test('the waits between tries follow the policy', () => {
  const error = new Error('no')
  const policy = { attempts: 3, maxAgeMs: Number.POSITIVE_INFINITY }
  const wait = (over: object, attempt: number, ageMs = 0) =>
    nextWaitMs({ ...policy, backoff: {}, ...over }, { attempt, ageMs, error })
  expect(wait({ backoff: 'immediate' }, 1)).toBe(0)
  expect(wait({ backoff: { every: '10s' } }, 2)).toBe(10_000)
  expect(wait({ backoff: { first: '1s', factor: 3 } }, 2)).toBeGreaterThanOrEqual(1500)
  expect(wait({ backoff: { first: '1s', factor: 3 } }, 2)).toBeLessThanOrEqual(3000)
  expect(wait({}, 3)).toBeNull()
  expect(wait({ backoff: { every: '10s' }, maxAgeMs: 60_000 }, 1, 49_000)).toBe(10_000)
  expect(wait({ backoff: { every: '10s' }, maxAgeMs: 60_000 }, 1, 51_000)).toBeNull()
})
