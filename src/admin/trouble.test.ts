import { expect, test } from 'vitest'
import { on } from '../delivery/on.ts'
import { event } from '../events/event.ts'
import { table } from '../events/table.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { testApp } from '../testing/test-app.ts'
import { testClock } from '../testing/test-clock.ts'
import { testDatabase } from '../testing/test-postgres.ts'

const order = event('order', { n: t.int() }, { key: 'n' })

test('a failed delivery shows as retrying, what waits behind it as held; a retry that works clears both', async () => {
  let broken = true
  const clock = testClock()
  const ship = on('ship', order, { backoff: { first: '1m' } }, () => {
    if (broken) throw new Error('no parcels left')
  })
  await using shop = await testApp(app('shop', [ship]), { clock })
  await shop.publish(order, { n: 1 })
  await shop.publish(order, { n: 1 })
  await shop.publish(order, { n: 2 })
  await shop.settled()
  expect(await shop.operate('consumers', {})).toMatchObject([
    { name: 'ship', status: 'retrying', retrying: 2, held: 1 },
  ])
  expect(await shop.operate('overview', {})).toMatchObject({
    status: 'retrying',
    sentence: '2 deliveries wait for a retry.',
    totals: { retrying: 2, held: 1, dead: 0 },
  })
  expect(await shop.operate('topology', {})).toMatchObject({
    nodes: [{ id: 'event:order' }, { id: 'consumer:ship', status: 'retrying' }],
  })
  const [first, second] = [
    await shop.operate('event', { position: 1 }),
    await shop.operate('journey', { position: 2 }),
  ] as const
  expect(first.deliveries).toMatchObject([
    {
      follower: 'ship',
      status: 'retrying',
      attempt: 1,
      retryAt: expect.any(String),
      error: { message: 'no parcels left' },
    },
  ])
  expect(second).toMatchObject({ complete: false, hops: [{}, {}, { kind: 'consumer', status: 'held' }] })

  broken = false
  clock.advance('2m')
  await expect
    .poll(async () => (await shop.operate('overview', {})).totals, { timeout: 5000 })
    .toMatchObject({ retrying: 0, held: 0 })
  expect(await shop.operate('overview', {})).toMatchObject({ status: 'ok', sentence: 'Everything is up.' })
  expect((await shop.operate('event', { position: 1 })).deliveries).toMatchObject([{ status: 'done' }])
})

test('a dead letter shows with its error, in the consumer, the event and the sentence', async () => {
  const ship = on('ship', order, { attempts: 1 }, ({ data }) => {
    if (data.n === 1) throw new TypeError('this parcel has no address')
  })
  await using shop = await testApp(app('shop', [ship]))
  await shop.publish(order, { n: 1 })
  await shop.publish(order, { n: 2 })
  await shop.settled()
  expect(await shop.operate('consumers', {})).toMatchObject([{ status: 'failed', dead: 1, retrying: 0, lag: 0 }])
  expect(await shop.operate('overview', {})).toMatchObject({
    status: 'failed',
    sentence: '1 dead letter needs a look.',
    totals: { dead: 1 },
  })
  const dead = await shop.operate('event', { position: 1 })
  expect(dead.deliveries).toMatchObject([{ follower: 'ship', status: 'dead', attempt: 1 }])
  expect(dead.deliveries[0]?.error?.message).toContain('this parcel has no address')
  expect((await shop.operate('event', { position: 2 })).deliveries).toMatchObject([{ status: 'done' }])
  expect((await shop.operate('journey', { position: 1 })).complete).toBe(false)
})

test('a follower that is behind says by how much and since when, and its event waits', async () => {
  let release: () => void = () => {}
  const stuck = new Promise<void>((resolve) => {
    release = resolve
  })
  await using shop = await testApp(app('shop', [on('slow', order, () => stuck)]))
  for (let n = 1; n <= 3; n += 1) await shop.publish(order, { n })
  await expect
    .poll(async () => (await shop.operate('consumers', {}))[0], { timeout: 5000 })
    .toMatchObject({ status: 'running', lag: 3 })
  await expect.poll(async () => (await shop.operate('consumers', {}))[0]?.lagSeconds).toBeGreaterThan(0)
  expect((await shop.operate('event', { position: 3 })).deliveries).toMatchObject([{ status: 'waiting' }])
  expect(await shop.operate('journey', { position: 3 })).toMatchObject({ complete: false })
  // Three events are no news.
  expect((await shop.operate('overview', {})).sentence).toBe('Everything is up.')
  release()
  await shop.settled()
  expect(await shop.operate('journey', { position: 3 })).toMatchObject({ complete: true })
})

test('while Postgres is away the overview answers, and says so', async () => {
  const database = await testDatabase()
  const shop = await testApp(
    app('shop', [on('ship', order, () => {}), table('parcels', { id: t.int() }, { key: 'id' })]),
    {
      url: database.url,
    },
  )
  try {
    await shop.publish(order, { n: 1 })
    await shop.settled()
    expect((await shop.operate('overview', {})).status).toBe('ok')
    await database.drop()
    const overview = await shop.operate('overview', {})
    expect(overview).toMatchObject({
      status: 'failed',
      sentence: expect.stringMatching(/^Postgres does not answer: .+\.$/),
      head: 1,
    })
    expect(overview.checks[0]).toMatchObject({ name: 'postgres', status: 'error', mend: 'millrace doctor' })
    expect(JSON.stringify(overview)).not.toContain(new URL(database.url).password || 'no password')
  } finally {
    await shop.stop()
  }
})
