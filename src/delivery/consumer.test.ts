import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { event } from '../events/event.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { testApp } from '../testing/test-app.ts'
import { testClock } from '../testing/test-clock.ts'
import { on } from './on.ts'

const ordered = event('ordered', { key: t.string(), n: t.int() }, { key: 'key' })
const effects = {
  setup: ({ sql }: { sql: (s: TemplateStringsArray) => Promise<unknown> }) =>
    sql`create table if not exists effects (id serial primary key, key text, n int)`,
}

/** Writes one row per event; `fails` says which ones throw. */
function recorder(fails: (n: number, attempt: number) => boolean, options = {}) {
  return on('recorder', ordered, options, async ({ data, sql, attempt }) => {
    await sql`insert into effects (key, n) values (${data.key}, ${data.n})`
    if (fails(data.n, attempt)) throw new Error(`no ${data.n}`)
  })
}

test('events of a key are handled in order, each exactly once', async () => {
  await using running = await testApp(app('t', { ordered, recorder: recorder(() => false) }, effects))
  await Promise.all(Array.from({ length: 500 }, (_, n) => running.publish(ordered, { key: `k${n % 7}`, n })))
  await running.settled()
  const rows = await running.sql<{ key: string; n: number }>`select key, n from effects order by id`
  expect(rows).toHaveLength(500)
  for (let k = 0; k < 7; k += 1) {
    const own = rows.filter(({ key }) => key === `k${k}`).map(({ n }) => n)
    expect(own).toEqual([...own].sort((a, b) => a - b))
  }
})

test('a key that fails waits for its retry alone, and goes on in order', async () => {
  const clock = testClock()
  const failing = recorder((n, attempt) => n === 3 && attempt < 3, { backoff: { first: '1m' } })
  await using running = await testApp(app('t', { ordered, failing }, effects), { clock })
  for (let n = 0; n < 10; n += 1) await running.publish(ordered, { key: n % 2 === 1 ? 'odd' : 'even', n })
  await running.settled()
  const of = async (key: string) =>
    (await running.sql<{ n: number }>`select n from effects where key = ${key} order by id`).map(({ n }) => n)
  expect(await of('even')).toEqual([0, 2, 4, 6, 8])
  expect(await of('odd')).toEqual([1])
  expect(await running.sql`select position, state, attempt from millrace.deliveries order by position`).toEqual([
    { position: 4, state: 'retrying', attempt: 1 },
    { position: 6, state: 'held', attempt: 0 },
    { position: 8, state: 'held', attempt: 0 },
    { position: 10, state: 'held', attempt: 0 },
  ])

  clock.advance('2m')
  await until(
    running,
    async () =>
      (await running.sql<{ attempt: number }>`select attempt from millrace.deliveries where state = 'retrying'`)[0]
        ?.attempt === 2,
  )
  clock.advance('5m')
  await until(running, async () => (await running.sql`select 1 from millrace.deliveries`).length === 0)
  expect(await of('odd')).toEqual([1, 3, 5, 7, 9])
})

test('an event that fails to the last becomes a dead letter with its error, and its key goes on', async () => {
  const clock = testClock()
  await using running = await testApp(
    app('t', { ordered, failing: recorder((n) => n === 1, { attempts: 2 }) }, effects),
    { clock },
  )
  for (const n of [1, 2]) await running.publish(ordered, { key: 'k', n })
  await running.settled()
  clock.advance('1h')
  await until(running, async () => (await running.sql`select 1 from effects`).length === 1)
  expect(await running.sql`select n from effects`).toEqual([{ n: 2 }])
  const [dead] = await running.sql<{
    state: string
    attempt: number
    error: { message: string }
  }>`select state, attempt, error from millrace.deliveries`
  expect(dead).toMatchObject({ state: 'dead', attempt: 2, error: { message: 'no 1' } })
})

test.each(['delivery.handled', 'delivery.settled'])(
  'a failure of the store at %s repeats nothing in Postgres',
  async (point) => {
    await using running = await testApp(app('t', { ordered, recorder: recorder(() => false) }, effects))
    let left = 3
    const disarm = running.faults.arm(point, () => {
      left -= 1
      if (left >= 0) throw new Error('cut off')
    })
    for (let n = 0; n < 20; n += 1) await running.publish(ordered, { key: 'k', n })
    await running.settled()
    disarm()
    expect(left).toBeLessThan(0)
    expect((await running.sql<{ n: number }>`select n from effects order by id`).map(({ n }) => n)).toEqual(
      Array.from({ length: 20 }, (_, n) => n),
    )
    expect(await running.sql`select 1 from millrace.deliveries`).toEqual([])
  },
)

test('what a handler publishes exists exactly if its event was handled, and names its cause', async () => {
  const followed = event('followed', { n: t.int() })
  const chain = on('chain', ordered, { attempts: 1 }, async ({ data, publish }) => {
    await publish(followed, { n: data.n })
    if (data.n === 2) throw new Error('after publishing')
  })
  await using running = await testApp(app('t', { ordered, followed, chain }))
  // In one turn, so they stand together in the log: 1, 2, 3.
  await Promise.all([1, 2, 3].map((n) => running.publish(ordered, { key: 'k', n })))
  await running.settled()
  const made = await running.sql<{ n: number; cause: number }>`
    select (data->>'n')::int as n, (meta->>'cause')::int as cause from millrace.events where type = 'followed' order by ordinal`
  expect(made).toEqual([
    { n: 1, cause: 1 },
    { n: 3, cause: 3 },
  ])
})

test('a handler that takes too long fails, and others go on', async () => {
  const slow = on('slow', ordered, { timeout: 50, attempts: 1 }, ({ data }) =>
    data.n === 1 ? new Promise(() => undefined) : undefined,
  )
  await using running = await testApp(app('t', { ordered, slow }))
  await running.publish(ordered, { key: 'a', n: 1 })
  await running.publish(ordered, { key: 'b', n: 2 })
  await running.settled()
  expect(await running.sql`select error->>'code' as code from millrace.deliveries`).toEqual([
    { code: 'HANDLER_TIMEOUT' },
  ])
})

test('a new consumer begins now, or at the beginning when asked', async () => {
  await using first = await testApp(app('t', { ordered }))
  for (const n of [1, 2]) await first.publish(ordered, { key: 'k', n })
  await first.settled()
  const seen: string[] = []
  const late = on('late', ordered, ({ data }) => seen.push(`late ${data.n}`))
  const all = on('all', ordered, { start: 'beginning' }, ({ data }) => seen.push(`all ${data.n}`))
  await using second = await testApp(app('t', { ordered, late, all }), { url: first.databaseUrl })
  await second.publish(ordered, { key: 'k', n: 3 })
  await second.settled()
  expect(seen.filter((line) => line.startsWith('late'))).toEqual(['late 3'])
  expect(seen.filter((line) => line.startsWith('all'))).toEqual(['all 1', 'all 2', 'all 3'])
})

test('work under way when the app stops is handed back, not counted as failed', async () => {
  let begun = (): void => undefined
  const started = new Promise<void>((resolve) => {
    begun = resolve
  })
  const patient = on('patient', ordered, ({ signal }) => {
    begun()
    return new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true }),
    )
  })
  await using first = await testApp(app('t', { ordered }))
  const second = await testApp(app('t', { ordered, patient }), { url: first.databaseUrl })
  await second.publish(ordered, { key: 'k', n: 1 })
  await started
  await second.stop()
  expect(await first.sql`select 1 from millrace.deliveries`).toEqual([])
  const done: number[] = []
  const quick = on('patient', ordered, ({ data, attempt }) => done.push(data.n, attempt))
  await using third = await testApp(app('t', { ordered, quick }), { url: first.databaseUrl })
  await third.settled()
  expect(done).toEqual([1, 1])
})

test('processes share the keys, and one takes over when the other is gone; every effect happens once', async () => {
  await using base = await testApp(app('t', { ordered }, effects))
  const definition = () => app('t', { ordered, recorder: recorder(() => false, { start: 'beginning' }) }, effects)
  const a = await testApp(definition(), { url: base.databaseUrl, memberName: 'a' })
  await using b = await testApp(definition(), { url: base.databaseUrl, memberName: 'b' })
  const publishSome = (from: number) =>
    Promise.all(Array.from({ length: 200 }, (_, i) => base.publish(ordered, { key: randomUUID(), n: from + i })))
  await until(b, async () => {
    const held = await base.sql<{ name: string; slots: number }>`
      select m.name, count(*)::int as slots from millrace.consumer_slots s join millrace.members m on m.id = s.owner where consumer = 'recorder' group by 1 order by 1`
    return held.length === 2
  })
  await publishSome(0)
  const stopping = a.stop()
  await publishSome(200)
  await stopping
  await publishSome(400)
  await until(b, async () => (await base.sql`select 1 from effects`).length >= 600)
  await b.settled()
  const rows = await base.sql<{ n: number }>`select n from effects order by n`
  expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: 600 }, (_, n) => n))
})

/** Looks again each time the app has settled. */
async function until(running: { settled(): Promise<void> }, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it never came true')
    await running.settled()
  }
}
