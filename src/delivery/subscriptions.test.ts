import { expect, expectTypeOf, test } from 'vitest'
import { until } from '../../test/support/until.ts'
import { event } from '../events/event.ts'
import { table } from '../events/table.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { testApp } from '../testing/test-app.ts'
import { on } from './on.ts'
import { matching } from './source.ts'

// What a consumer follows, from where, and in which portions.

const paid = event('order.paid', { order: t.string(), total: t.int() }, { key: 'order' })
const shipped = event('order.shipped', { order: t.string(), parcel: t.int() }, { key: 'order' })
const returned = event('order.parcel.returned', { order: t.string() }, { key: 'order' })

test('several events come in their one order, and their type tells which it is', async () => {
  const seen: string[] = []
  const both = on('both', [paid, shipped], (event) => {
    if (event.type === 'order.paid') {
      expectTypeOf(event.data).toEqualTypeOf<{ order: string; total: number }>()
      seen.push(`paid ${event.data.total}`)
    } else seen.push(`shipped ${event.data.parcel}`)
  })
  await using running = await testApp(app('t', { both }))
  await running.publish(paid, { order: 'a', total: 5 })
  await running.publish(shipped, { order: 'a', parcel: 7 })
  await running.publish(paid, { order: 'a', total: 6 })
  await running.settled()
  expect(seen).toEqual(['paid 5', 'shipped 7', 'paid 6'])
})

test('an event and a table stand in one order too', async () => {
  const parcels = table('parcels', { id: t.int() }, { key: 'id' })
  const seen: string[] = []
  const desk = on('desk', [paid, parcels], (event) => {
    seen.push(event.type === 'order.paid' ? `paid ${event.data.total}` : `${event.data.op} ${event.data.key}`)
  })
  await using running = await testApp(app('t', { desk }))
  await running.sql`insert into parcels values (1)`
  await running.settled()
  await running.publish(paid, { order: 'a', total: 5 })
  await running.settled()
  expect(seen).toEqual(['insert 1', 'paid 5'])
})

test.each([
  ['order.*', ['order.paid', 'order.shipped']],
  ['order.>', ['order.paid', 'order.shipped', 'order.parcel.returned']],
  ['*.parcel.*', ['order.parcel.returned']],
  ['>', ['order.paid', 'order.shipped', 'order.parcel.returned']],
])('the pattern %s takes what fits, at the head and from the store, and no captured change', async (pattern, types) => {
  const parcels = table('parcels', { id: t.int() }, { key: 'id' })
  const seen = { live: [] as string[], late: [] as string[] }
  const live = on('live', matching(pattern), ({ type }) => seen.live.push(type))
  await using first = await testApp(app('t', { paid, shipped, returned, parcels, live }))
  await first.sql`insert into parcels values (1)`
  await first.publish(paid, { order: 'a', total: 5 })
  await first.publish(shipped, { order: 'a', parcel: 7 })
  await first.publish(returned, { order: 'a' })
  await first.settled()
  const late = on('late', matching(pattern), { start: 'beginning' }, ({ type }) => seen.late.push(type))
  await using second = await testApp(app('t', { late }), { url: first.databaseUrl })
  await second.settled()
  expect(seen).toEqual({ live: types, late: types })
})

test('a filter chooses the same at the head and from the store; others are passed over', async () => {
  const seen = { live: [] as number[], late: [] as number[], chosen: [] as number[] }
  const where = { data: { total: { gte: 100 } }, key: ['a', 'b'] }
  const live = on('live', paid, { where }, ({ data }) => seen.live.push(data.total))
  await using first = await testApp(app('t', { live }))
  for (const [order, total] of [
    ['a', 50],
    ['a', 100],
    ['b', 150],
    ['c', 200],
  ] as const)
    await first.publish(paid, { order, total })
  await first.settled()
  const late = on('late', paid, { where, start: 'beginning' }, ({ data }) => seen.late.push(data.total))
  const chosen = on('chosen', paid, { where: ({ data }) => data.total % 100 === 0, start: 'beginning' }, ({ data }) =>
    seen.chosen.push(data.total),
  )
  await using second = await testApp(app('t', { late, chosen }), { url: first.databaseUrl })
  await second.settled()
  expect(seen).toEqual({ live: [100, 150], late: [100, 150], chosen: [100, 200] })
})

test('a choice that throws fails its event alone', async () => {
  const seen: number[] = []
  const choosy = on(
    'choosy',
    paid,
    {
      attempts: 1,
      where: ({ data }) => {
        if (data.total === 13) throw new Error('cannot say')
        return true
      },
    },
    ({ data }) => seen.push(data.total),
  )
  await using running = await testApp(app('t', { choosy }))
  for (const total of [1, 13, 2]) await running.publish(paid, { order: 'a', total })
  await running.settled()
  expect([...new Set(seen)]).toEqual([1, 2])
  expect(await running.sql`select position, state from millrace.deliveries`).toEqual([{ position: 2, state: 'dead' }])
})

test('a new consumer begins at a position or a time', async () => {
  const seen = { position: [] as number[], time: [] as number[] }
  await using first = await testApp(app('t', { paid }))
  for (const total of [1, 2]) await first.publish(paid, { order: 'a', total })
  await first.settled()
  const [{ now } = { now: '' }] = await first.sql<{ now: string }>`select clock_timestamp() as now`
  for (const total of [3, 4]) await first.publish(paid, { order: 'a', total })
  await first.settled()
  const byPosition = on('by-position', paid, { start: { position: 2 } }, ({ data }) => seen.position.push(data.total))
  const byTime = on('by-time', paid, { start: { time: now } }, ({ data }) => seen.time.push(data.total))
  await using second = await testApp(app('t', { byPosition, byTime }), { url: first.databaseUrl })
  await second.settled()
  expect(seen).toEqual({ position: [2, 3, 4], time: [3, 4] })
})

test('a consumer of each node handles every event in every process, from its start on', async () => {
  const seen: string[] = []
  let failures = 2
  const local = (name: string) =>
    on('local', paid, { each: 'node', backoff: 'immediate', attempts: 3 }, ({ data, attempt }) => {
      if (name === 'b' && data.total === 3 && failures-- > 0) throw new Error(`no ${attempt}`)
      if (data.total === 4) throw new Error('never')
      seen.push(`${name}${data.total}`)
    })
  await using first = await testApp(app('t', { paid, local: local('a') }), { memberName: 'a' })
  await first.publish(paid, { order: 'x', total: 1 })
  await first.settled()
  await using second = await testApp(app('t', { local: local('b') }), { url: first.databaseUrl, memberName: 'b' })
  for (const total of [2, 3, 4, 5]) await first.publish(paid, { order: 'x', total })
  await Promise.all([first.settled(), second.settled()])
  expect(seen.filter((line) => line.startsWith('a'))).toEqual(['a1', 'a2', 'a3', 'a5'])
  expect(seen.filter((line) => line.startsWith('b'))).toEqual(['b2', 'b3', 'b5'])
  expect(await first.sql`select 1 from millrace.consumer_slots`).toEqual([])
  expect(await first.sql`select 1 from millrace.deliveries`).toEqual([])
})

test('a batch is one call and one transaction, of at most its size', async () => {
  const sizes: number[] = []
  const bulk = on.batch('bulk', paid, { size: 4, start: 'beginning' }, async ({ events, sql }) => {
    sizes.push(events.length)
    await sql`insert into totals select * from unnest(${events.map(({ data }) => data.total)}::int[])`
  })
  const setup = {
    setup: ({ sql }: { sql: (s: TemplateStringsArray) => Promise<unknown> }) =>
      sql`create table if not exists totals (n int)`,
  }
  await using first = await testApp(app('t', { paid }))
  await Promise.all(Array.from({ length: 10 }, (_, n) => first.publish(paid, { order: `${n}`, total: n })))
  await first.settled()
  await using second = await testApp(app('t', { bulk }, setup), { url: first.databaseUrl })
  await second.settled()
  expect(sizes).toEqual([4, 4, 2])
  expect((await second.sql<{ n: number }>`select n from totals`).map(({ n }) => n)).toHaveLength(10)
})

test('a batch waits until it is full or its time is over', async () => {
  const sizes: number[] = []
  const bulk = on.batch('bulk', paid, { size: 3, maxWait: '400ms' }, ({ events }) => sizes.push(events.length))
  await using running = await testApp(app('t', { bulk, other: on('other', shipped, () => {}) }))
  for (const total of [1, 2]) {
    await running.publish(paid, { order: 'a', total })
    await running.publish(shipped, { order: 'a', parcel: total })
  }
  expect(sizes).toEqual([])
  await running.publish(paid, { order: 'a', total: 3 })
  await until('the batch is full', () => sizes.length === 1)
  await running.publish(paid, { order: 'a', total: 4 })
  await running.settled()
  expect(sizes).toEqual([3, 1])
})

test('of a batch only the event that is blamed fails; one that throws is halved to find the guilty', async () => {
  for (const blame of [true, false]) {
    const calls: number[][] = []
    const bulk = on.batch('bulk', paid, { size: 8, attempts: 1, start: 'beginning' }, async ({ events, sql, fail }) => {
      calls.push(events.map(({ data }) => data.total))
      await sql`insert into totals select * from unnest(${events.map(({ data }) => data.total)}::int[])`
      const bad = events.find(({ data }) => data.total === 5)
      if (bad === undefined) return
      if (blame) fail(bad, new Error('bad one'))
      throw new Error('somebody')
    })
    const setup = {
      setup: ({ sql }: { sql: (s: TemplateStringsArray) => Promise<unknown> }) =>
        sql`create table if not exists totals (n int)`,
    }
    await using first = await testApp(app('t', { paid }))
    await Promise.all(Array.from({ length: 8 }, (_, n) => first.publish(paid, { order: `${n}`, total: n })))
    await first.settled()
    await using second = await testApp(app('t', { bulk }, setup), { url: first.databaseUrl })
    await second.settled()
    const handled = (await second.sql<{ n: number }>`select n from totals order by n`).map(({ n }) => n)
    expect(handled).toEqual([0, 1, 2, 3, 4, 6, 7])
    expect(await second.sql`select position, error->>'message' as message from millrace.deliveries`).toEqual([
      { position: 6, message: blame ? 'bad one' : 'somebody' },
    ])
    if (blame)
      expect(calls).toEqual([
        [0, 1, 2, 3, 4, 5, 6, 7],
        [0, 1, 2, 3, 4],
        [6, 7],
      ])
  }
})

test('a rate is kept to over all processes', async () => {
  const times: number[] = []
  const slow = () => on('slow', paid, { rate: '20/s', start: 'beginning' }, () => void times.push(performance.now()))
  await using base = await testApp(app('t', { paid }))
  await using first = await testApp(app('t', { slow: slow() }), { url: base.databaseUrl, memberName: 'first' })
  await using second = await testApp(app('t', { slow: slow() }), { url: base.databaseUrl, memberName: 'second' })
  await until('both have slots', async () => {
    const held = await base.sql`select owner from millrace.consumer_slots group by owner having count(*) = 8`
    return held.length === 2
  })
  await Promise.all(Array.from({ length: 60 }, (_, n) => base.publish(paid, { order: `${n}`, total: n })))
  await Promise.all([first.settled(), second.settled()])
  expect(times).toHaveLength(60)
  const spanMs = Math.max(...times) - Math.min(...times)
  // One second's worth may come at once: the other forty take two seconds.
  expect(spanMs).toBeGreaterThan(1500)
})

test.each([
  [() => matching('order.**')],
  [() => matching('order.>.x')],
  [() => matching('Order')],
  [() => on('x', [], () => {})],
  [() => on('x', [paid, paid], () => {})],
  [() => on('x', paid, { start: { position: 0 } }, () => {})],
  [() => on('x', paid, { start: { time: 'yesterday' } }, () => {})],
  [() => on('x', paid, { each: 'node', start: 'beginning' }, () => {})],
  [() => on('x', paid, { rate: '0/s' }, () => {})],
  [() => on('x', paid, { onFailure: 'ignore' as 'stop' }, () => {})],
  [() => on.batch('x', paid, { size: 0 }, () => {})],
  [() => on.batch('x', paid, { maxWait: '1h' }, () => {})],
])('what makes no sense is refused where it is written: %s', (declare) => {
  expect(declare).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
})
