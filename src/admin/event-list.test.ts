import { expect, test } from 'vitest'
import { adminStage } from '../../test/support/admin-stage.ts'
import type { EventFilter, EventPage } from './contract.ts'
import { betweenMs, momentOf, preciseMs } from './event-list.ts'

/** Follows `next` to the end and keeps every page. */
async function allPages(ask: (filter: EventFilter) => Promise<EventPage>, filter: EventFilter): Promise<EventPage[]> {
  const pages: EventPage[] = []
  let before: number | undefined
  do {
    const page = await ask({ ...filter, ...(before === undefined ? {} : { before }) })
    expect(page.next ?? 0).toBeLessThan(before ?? Number.POSITIVE_INFINITY)
    pages.push(page)
    before = page.next
  } while (before !== undefined)
  return pages
}

const positions = (pages: readonly EventPage[]): number[] =>
  pages.flatMap(({ events }) => events.map(({ position }) => position))

test('an empty log is an empty page without an end to go on from', async () => {
  const { admin } = await adminStage()
  expect(await admin.run('events', {})).toEqual({ events: [], head: 0 })
})

test('pages come newest first, each event once, and end', async () => {
  const { admin, write } = await adminStage()
  await write('film.sold', 120)
  const pages = await allPages((filter) => admin.run('events', filter), { limit: 50 })
  expect(pages.map(({ events }) => events.length)).toEqual([50, 50, 20])
  expect(positions(pages)).toEqual(Array.from({ length: 120 }, (_, i) => 120 - i))
  const whole = await allPages((filter) => admin.run('events', filter), { limit: 60 })
  expect(positions(whole)).toEqual(positions(pages))
  expect(whole.at(-1)?.events.length).toBeGreaterThan(0)
})

test('what is published while somebody pages does not shift the pages', async () => {
  const { admin, write } = await adminStage()
  await write('film.sold', 10)
  const first = await admin.run('events', { limit: 5 })
  await write('film.sold', 10)
  const second = await admin.run('events', { limit: 5, before: first.next ?? 0 })
  expect(positions([first, second])).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1])
  expect(second.head).toBe(20)
})

test('type is exact, or a prefix that ends in a star; key is exact; text is anywhere in the data', async () => {
  const stage = await adminStage()
  await stage.write('film.sold', 3, { key: 'a' })
  await stage.write('film.sold.out', 2, { key: 'ab' })
  await stage.write('change:films', 2, { key: 'a', data: { title: 'Vertigo & Co' } })
  const count = async (filter: EventFilter): Promise<number> => {
    return (await stage.admin.run('events', filter)).events.length
  }
  expect(await count({ type: 'film.sold' })).toBe(3)
  expect(await count({ type: 'film.sold*' })).toBe(5)
  expect(await count({ type: 'change:*' })).toBe(2)
  expect(await count({ type: '*' })).toBe(7)
  expect(await count({ type: 'film' })).toBe(0)
  expect(await count({ key: 'a' })).toBe(5)
  expect(await count({ key: 'a', type: 'film.*' })).toBe(3)
  expect(await count({ text: 'vertigo & co' })).toBe(2)
  expect(await count({ text: '%' })).toBe(0)
  expect((await stage.admin.run('events', { type: 'change:films' })).events[0]).toMatchObject({
    position: 7,
    kind: 'change',
    key: 'a',
    preview: '{"n":1,"title":"Vertigo & Co"}',
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/),
  })
})

test('a long datum is cut for the list', async () => {
  const { admin, write } = await adminStage()
  await write('film.sold', 1, { data: { text: 'x'.repeat(10_000) } })
  const { events } = await admin.run('events', {})
  expect(events[0]?.preview).toHaveLength(161)
  expect((await admin.run('event', { position: 1 })).data).toEqual({ n: 0, text: 'x'.repeat(10_000) })
})

test('a rare type in a long log costs a bounded look per call; next goes on and finds it', async () => {
  const { admin, store, feed, write } = await adminStage()
  await write('rare', 1)
  await store.sql`
    insert into millrace.events (id, type, version, data)
    select gen_random_uuid(), 'common', 1, '{}' from generate_series(1, 119999)`
  await write('common', 1)
  expect(feed.head).toBeGreaterThanOrEqual(120_000)
  const pages = await allPages((filter) => admin.run('events', filter), { type: 'rare' })
  expect(positions(pages)).toEqual([1])
  // 50,000 events at most are looked at by one call.
  expect(pages.length).toBe(Math.ceil(feed.head / 50_000))
  for (const [i, { next }] of pages.slice(0, -1).entries()) expect(next).toBe(feed.head + 1 - (i + 1) * 50_000)
})

test('a place behind the end of the log is its end', async () => {
  const { admin, write } = await adminStage()
  await write('film.sold', 3)
  expect(positions([await admin.run('events', { before: 1_000_000 })])).toEqual([3, 2, 1])
  expect(await admin.run('events', { before: 1 })).toEqual({ events: [], head: 3 })
})

test('an input that cannot be meant is refused', async () => {
  const { admin } = await adminStage()
  const operation = admin.operations.find(({ name }) => name === 'events')
  for (const query of [{ limit: '0' }, { limit: '501' }, { before: '0' }, { before: 'x' }, { tpye: 'a' }]) {
    expect(() => operation?.input.parseText(query, 'events')).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    )
  }
})

test('moments keep their microseconds', () => {
  expect(momentOf('2026-01-02 03:04:05.678912+00')).toBe('2026-01-02T03:04:05.678912Z')
  expect(momentOf('2026-01-02 03:04:05+02')).toBe('2026-01-02T03:04:05+02:00')
  const ms = (text: string): number => Math.round((preciseMs(text) % 1000) * 1000) / 1000
  expect(ms('2026-01-02T03:04:05.678912Z')).toBe(678.912)
  expect(ms('2026-01-02T03:04:05.6789Z')).toBe(678.9)
  expect(ms('2026-01-02T03:04:05.67Z')).toBe(670)
  expect(ms('2026-01-02T03:04:05Z')).toBe(0)
})

test('what lies between two moments is exact to the microsecond, and never negative', () => {
  expect(betweenMs('2026-01-02T03:04:05.678912Z', '2026-01-02T03:04:05.679146Z')).toBe(0.234)
  expect(betweenMs('2026-01-02 03:04:05.999999+00', '2026-01-02T03:04:06.000001Z')).toBe(0.002)
  expect(betweenMs('2026-01-02T03:04:05.5Z', '2026-01-02T03:04:05.4Z')).toBe(0)
})
