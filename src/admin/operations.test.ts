import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cache } from '../cache/cache-definition.ts'
import { on } from '../delivery/on.ts'
import { event } from '../events/event.ts'
import { table } from '../events/table.ts'
import { route } from '../gateway/route.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { index } from '../search/index-definition.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import type { Hop } from './contract.ts'

const films = table('films', { id: t.int(), title: t.string() }, { key: 'id' })
const film = cache('film', { from: films, ttl: '10m', max: 500 })
const catalog = index('catalog', { from: films, document: ({ title }) => ({ title }), search: ['title'] })
const watch = on('watch', films, () => {})
const sold = event('sold', { film: t.int(), quantity: t.int() }, { key: 'film' })
const billed = event('billed', { film: t.int() }, { key: 'film' })
const bill = on('bill', sold, async ({ data, publish }) => void (await publish(billed, { film: data.film })))
const idle = event('idle', { n: t.int() })
const look = route('GET /films/:id', { params: { id: t.int() } }, ({ params }) => film.get(params.id))
const shop = app('shop', { films, film, catalog, watch, sold, billed, bill, idle, look })

let running: TestApp
beforeAll(async () => {
  running = await testApp(shop, { memberName: 'only' })
})
afterAll(() => running?.stop())

describe('a fresh app', () => {
  test('is up, and says that nothing has happened', async () => {
    expect(await running.operate('overview', {})).toMatchObject({
      app: 'shop',
      status: 'ok',
      sentence: 'Everything is up. Nothing has happened yet.',
      head: 0,
      totals: { lag: 0, retrying: 0, held: 0, dead: 0, members: 1 },
      checks: [
        { name: 'postgres', status: 'ok' },
        { name: 'capture', status: 'ok' },
      ],
      versions: { node: process.versions.node, postgres: expect.stringMatching(/^\d+\.\d+/) },
    })
  })
})

describe('the map', () => {
  test('has every declaration once, and an edge from each source to what follows it', async () => {
    const { nodes, edges } = await running.operate('topology', {})
    expect(nodes.map(({ id }) => id).sort()).toEqual([
      'cache:film',
      'consumer:bill',
      'consumer:watch',
      'event:billed',
      'event:idle',
      'event:sold',
      'index:catalog',
      expect.stringMatching(/^route:/),
      'table:films',
    ])
    expect(edges.map(({ from, to }) => `${from} > ${to}`).sort()).toEqual([
      'event:sold > consumer:bill',
      'table:films > cache:film',
      'table:films > consumer:watch',
      'table:films > index:catalog',
    ])
    const ids = new Set(nodes.map(({ id }) => id))
    for (const { from, to } of edges) expect([ids.has(from), ids.has(to)]).toEqual([true, true])
    expect(nodes.find(({ id }) => id === 'table:films')?.facts).toEqual({ key: 'id', columns: '2' })
    expect(nodes.find(({ id }) => id === 'cache:film')?.facts).toEqual({ entries: '0 of 500', ttl: '600 s' })
  })
})

describe('an event', () => {
  test('shows its data, its schema, who handled it and what it set off', async () => {
    await running.publish(sold, { film: 7, quantity: 2 }, { correlation: 'visit-1' })
    await running.settled()
    const [cause] = (await running.operate('events', { type: 'sold' })).events
    const detail = await running.operate('event', { position: cause?.position ?? 0 })
    expect(detail).toMatchObject({
      type: 'sold',
      kind: 'event',
      key: '7',
      version: 1,
      data: { film: 7, quantity: 2 },
      meta: { correlation: 'visit-1' },
      schema: { type: 'object', required: ['film', 'quantity'] },
      deliveries: [{ follower: 'bill', kind: 'consumer', status: 'done', member: 'only' }],
      effects: [{ type: 'billed', key: '7' }],
    })
    const [effect] = detail.effects
    const effectDetail = await running.operate('event', { position: effect?.position ?? 0 })
    expect(effectDetail).toMatchObject({ meta: { cause: cause?.position }, deliveries: [], effects: [] })
  })

  test('that does not exist is not found, for its journey too', async () => {
    for (const operation of ['event', 'journey'] as const) {
      await expect(running.operate(operation, { position: 999_999 })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    }
  })
})

describe('the journey of a change', () => {
  let hops: Hop[] = []
  test('goes from the commit through every follower, forward in time, and is complete', async () => {
    await running.sql`insert into films values (1, 'Vertigo')`
    await running.sql`update films set title = 'Rear Window' where id = 1`
    await running.settled()
    const [change] = (await running.operate('events', { type: 'change:films' })).events
    const position = change?.position ?? 0
    // Caches tell where they have been a moment later.
    await expect
      .poll(async () => (await running.operate('journey', { position })).hops.find(({ kind }) => kind === 'cache'))
      .toMatchObject({ tookMs: expect.any(Number) })
    const journey = await running.operate('journey', { position })
    hops = journey.hops
    expect(journey).toMatchObject({
      event: { type: 'change:films', kind: 'change', key: '1' },
      data: { op: 'update', row: { id: 1, title: 'Rear Window' } },
      complete: true,
    })
    expect(hops.slice(0, 3).map(({ kind }) => kind)).toEqual(['commit', 'capture', 'sequence'])
    expect(
      hops
        .slice(3)
        .map(({ kind, name }) => `${kind} ${name}`)
        .sort(),
    ).toEqual(['cache film', 'consumer watch', 'index catalog'])
    for (const [i, hop] of hops.entries()) {
      expect(hop.status).toBe('done')
      expect(hop.sinceStartMs).toBeGreaterThanOrEqual(hops[i - 1]?.sinceStartMs ?? 0)
      expect(Date.parse(hop.at)).toBeGreaterThanOrEqual(Date.parse(hops[i - 1]?.at ?? hop.at))
      expect(hop.sinceStartMs).toBeLessThan(10_000)
    }
    expect(journey.totalMs).toBe(hops.at(-1)?.sinceStartMs)
  })

  test('an event begins with its publishing', async () => {
    const [cause] = (await running.operate('events', { type: 'sold' })).events
    const journey = await running.operate('journey', { position: cause?.position ?? 0 })
    expect(journey.hops.map(({ kind, name }) => [kind, name])).toEqual([
      ['commit', 'published'],
      ['sequence', 'position given'],
      ['consumer', 'bill'],
    ])
  })
})

test('a change of other columns than a consumer follows is none of its deliveries', async () => {
  const seats = table('seats', { id: t.int(), price: t.int(), taken: t.boolean() }, { key: 'id', before: true })
  await using hall = await testApp(app('hall', [seats, on('prices', seats.changed('price'), () => {})]))
  await hall.sql`insert into seats values (1, 10, false)`
  await hall.sql`update seats set taken = true`
  await hall.sql`update seats set price = 12`
  await hall.settled()
  const { events } = await hall.operate('events', { type: 'change:seats' })
  const [price, taken] = await Promise.all(
    events.slice(0, 2).map(({ position }) => hall.operate('event', { position })),
  )
  expect(price?.deliveries).toMatchObject([{ follower: 'prices', status: 'done' }])
  expect(taken?.deliveries).toEqual([])
  expect(await hall.operate('journey', { position: taken?.position ?? 0 })).toMatchObject({ complete: true })
})

describe('followers', () => {
  test('each is told with how far it is', async () => {
    await running.settled()
    const views = await running.operate('consumers', {})
    const { head } = await running.operate('overview', {})
    expect(views.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual([
      'cache film',
      'consumer bill',
      'consumer watch',
      'index catalog',
    ])
    for (const view of views) {
      expect(view).toMatchObject({ status: 'ok', position: head, lag: 0, lagSeconds: 0, retrying: 0, held: 0, dead: 0 })
      for (const { member } of view.slots) expect(member).toBe('only')
    }
    expect(views.find(({ name }) => name === 'bill')).toMatchObject({
      follows: ['sold'],
      p50Ms: expect.any(Number),
      p95Ms: expect.any(Number),
    })
    expect((await running.operate('overview', {})).sentence).toBe('Everything is up.')
  })
})

describe('emit', () => {
  test('publishes like the app itself', async () => {
    const { id } = await running.operate('emit', { event: 'idle', data: { n: 3 } })
    await running.settled()
    expect((await running.operate('events', { type: 'idle' })).events).toMatchObject([{ id, preview: '{"n":3}' }])
  })

  test('an event nobody declared is not found; those there are, are named', async () => {
    await expect(running.operate('emit', { event: 'slod', data: {} })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'the app has no event "slod"',
      hint: 'Its events: sold, billed, idle.',
    })
    // A change is captured, never published by hand.
    await expect(running.operate('emit', { event: 'change:films', data: {} })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })

  test.each([
    [{ n: 'three' }, '/n'],
    [{ n: 1, m: 2 }, '/m'],
    [{}, '/n'],
    [null, ''],
    [undefined, ''],
  ])('data %j is refused, naming the place', async (data, path) => {
    await expect(running.operate('emit', { event: 'idle', data })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      issues: [{ path }],
    })
  })
})
