import { expect, test } from 'vitest'
import { adminStage } from '../../test/support/admin-stage.ts'
import { until } from '../../test/support/until.ts'
import { on } from '../delivery/on.ts'
import { event } from '../events/event.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { testApp } from '../testing/test-app.ts'
import { testClock } from '../testing/test-clock.ts'

const placed = event('placed', { n: t.int() })
const paid = event('paid', { n: t.int() })
const shipped = event('shipped', { n: t.int() })

test('an event shows what set it off up to the root, and what it set off', async () => {
  const pay = on('pay', placed, ({ data, publish }) => publish(paid, data))
  const ship = on('ship', paid, ({ data, publish }) => publish(shipped, data))
  await using shop = await testApp(app('shop', { placed, paid, shipped, pay, ship }))
  const id = await shop.publish(placed, { n: 1 })
  await shop.publish(placed, { n: 2 })
  await until('all are shipped', async () => (await shop.operate('events', { type: 'shipped' })).events.length === 2)
  const { events } = await shop.operate('events', {})
  const one = (type: string) => events.find((each) => each.type === type && each.preview.includes('1'))
  const [root, middle, last] = [one('placed'), one('paid'), one('shipped')]
  const detail = await shop.operate('event', { position: last?.position ?? 0 })
  expect(detail).toMatchObject({ correlation: id, effects: [] })
  expect(detail.causes.map(({ position }) => position)).toEqual([middle?.position, root?.position])
  expect(await shop.operate('event', { position: root?.position ?? 0 })).toMatchObject({
    correlation: id,
    causes: [],
    effects: [{ position: middle?.position, type: 'paid' }],
  })

  expect(await shop.operate('eventById', { id: id.toUpperCase() })).toMatchObject({ position: root?.position })
  await expect(
    shop.operate('eventById', { id: id.replace(/.$/, (end) => (end === '0' ? '1' : '0')) }),
  ).rejects.toMatchObject({
    code: 'NOT_FOUND',
  })
  const all = await shop.operate('correlated', { correlation: id })
  expect(all.events.map(({ type }) => type)).toEqual(['placed', 'paid', 'shipped'])
  const first = await shop.operate('correlated', { correlation: id, limit: 2 })
  expect(first.events).toHaveLength(2)
  const rest = await shop.operate('correlated', { correlation: id, after: first.next ?? 0 })
  expect(rest.events.map(({ type }) => type)).toEqual(['shipped'])
  expect(rest.next).toBeUndefined()
})

test('an effect that came with a late retry is found far behind its cause', async () => {
  let broken = true
  const clock = testClock()
  const pay = on('pay', placed, { backoff: { first: '1h' } }, ({ data, publish }) => {
    if (data.n === 1 && broken) throw new Error('not yet')
    if (data.n === 1) return publish(paid, data)
  })
  await using shop = await testApp(app('shop', { placed, paid, pay }), { clock })
  await shop.publish(placed, { n: 1 })
  await shop.settled()
  await Promise.all(Array.from({ length: 9000 }, (_, n) => shop.publish(placed, { n: n + 2 })))
  await shop.settled()
  broken = false
  clock.advance('2h')
  await until('it is paid', async () => (await shop.operate('events', { type: 'paid', limit: 1 })).events.length === 1)
  expect((await shop.operate('event', { position: 1 })).effects).toMatchObject([{ type: 'paid', position: 9002 }])
})

test('positions are found by time, in a log of many ticks', async () => {
  const stage = await adminStage()
  const { positionBefore } = await import('../events/position-at.ts')
  const ends: { at: Date; head: number }[] = [{ at: new Date(0), head: 0 }]
  for (let round = 1; round <= 12; round += 1) {
    await stage.write('x', round)
    const [row] = await stage.store.sql<{ now: string; head: number }>`
      select clock_timestamp() as now, (select head from millrace.sequencer) as head`
    ends.push({ at: new Date(Math.ceil(Date.parse(row?.now ?? '')) + 1), head: row?.head ?? 0 })
    await new Promise((resolve) => setTimeout(resolve, 5)) // times are told apart by milliseconds
  }
  for (const { at, head } of ends) expect(await positionBefore(stage.store, at)).toBe(head)
})
