import { expect, test } from 'vitest'
import { adminStage } from '../../test/support/admin-stage.ts'
import type { Check, StreamTopics } from './contract.ts'
import type { Frame } from './live.ts'

type Events = StreamTopics['events']
const eventsOf = (frames: readonly Frame[]): Events[] =>
  frames.filter(({ topic }) => topic === 'events').map(({ data }) => data as Events)
const told = (frames: readonly Frame[]): number[] =>
  eventsOf(frames).flatMap(({ events }) => events.map(({ position }) => position))
const counted = (frames: readonly Frame[]): number =>
  eventsOf(frames).reduce((sum, { events, skipped }) => sum + events.length + skipped, 0)

test('what happens is told once, oldest first, in few frames', async () => {
  const { watch, write } = await adminStage()
  await write('before', 5)
  const frames = watch({ topics: ['events'] })
  for (let i = 0; i < 20; i += 1) await write('film.sold', 1)
  await expect.poll(() => told(frames).length).toBe(20)
  expect(told(frames)).toEqual(Array.from({ length: 20 }, (_, i) => 6 + i))
  // Twenty ticks of a few milliseconds each: one frame per quarter of a second, not one per tick.
  expect(frames.length).toBeLessThan(10)
  expect(frames.at(-1)).toMatchObject({ id: 25, data: { head: 25 } })
})

test('of a flood the newest are shown and the rest is counted', async () => {
  const { watch, write } = await adminStage()
  const frames = watch({ topics: ['events'] })
  await write('flood', 3000)
  await expect.poll(() => counted(frames)).toBe(3000)
  for (const { events } of eventsOf(frames)) expect(events.length).toBeLessThanOrEqual(100)
  expect(told(frames).at(-1)).toBe(3000)
  expect(eventsOf(frames)[0]?.skipped).toBeGreaterThan(0)
})

test('filters hold for the stream, and what they leave out is not counted as skipped', async () => {
  const { watch, write } = await adminStage()
  const byType = watch({ topics: ['events'], filter: { type: 'film.*' } })
  const byKey = watch({ topics: ['events'], filter: { key: 'k' } })
  const byText = watch({ topics: ['events'], filter: { text: 'VERTIGO' } })
  await write('song.sold', 3, { key: 'k' })
  await write('film.sold', 1, { data: { title: 'Vertigo' } })
  await expect.poll(() => [told(byType), told(byKey), told(byText)]).toEqual([[4], [1, 2, 3], [4]])
  expect(counted(byType)).toBe(1)
})

test('a client that returns gets what it missed, and no more', async () => {
  const { watch, write } = await adminStage()
  await write('film.sold', 10)
  const frames = watch({ topics: ['events'], lastEventId: '7' })
  await expect.poll(() => told(frames)).toEqual([8, 9, 10])
  const fresh = watch({ topics: ['events'], lastEventId: '10' })
  for (const lastEventId of ['99', '-1', '0', 'x', '1.5']) watch({ topics: ['events'], lastEventId })
  await write('film.sold', 1)
  await expect.poll(() => told(fresh)).toEqual([11])
})

test('a client that was away for longer than memory goes back gets the newest, and how many it missed', async () => {
  const { feed, watch, write } = await adminStage()
  await write('first', 1)
  for (let i = 0; i < 16; i += 1) await write('flood', 2000)
  expect(feed.kept(1)).toBeUndefined()
  const frames = watch({ topics: ['events'], lastEventId: '1' })
  await expect.poll(() => counted(frames)).toBe(32_000)
  expect(told(frames)).toEqual(Array.from({ length: 100 }, (_, i) => feed.head - 99 + i))
})

test('who has left is told nothing more', async () => {
  const { admin, watch, write } = await adminStage()
  const left: Frame[] = []
  const leave = admin.live.subscribe({ topics: ['events'], filter: {}, lastEventId: undefined }, (frame) => {
    left.push(frame)
    return true
  })
  await write('film.sold', 1)
  leave()
  const stayed = watch({ topics: ['events'] })
  await write('film.sold', 1)
  // Had the first still listened, its frame would have been due before this one.
  await expect.poll(() => told(stayed)).toEqual([2])
  expect(left).toEqual([])
})

test('overview, rates and consumers come at once and every second', async () => {
  const { watch } = await adminStage()
  const frames = watch({ topics: ['overview', 'rates', 'consumers'] })
  const topics = (): string[] => [...new Set(frames.map(({ topic }) => topic))].sort()
  await expect.poll(topics, { timeout: 900 }).toEqual(['consumers', 'overview', 'rates'])
  await expect.poll(() => frames.length, { timeout: 3000 }).toBeGreaterThanOrEqual(6)
})

test('rates count what was published and what changed, per second', async () => {
  const { admin, watch, write } = await adminStage()
  watch({ topics: ['overview'] })
  await write('film.sold', 200)
  await write('change:films', 100)
  await expect
    .poll(async () => (await admin.run('overview', {})).rates.reduce((sum, { published }) => sum + published, 0), {
      timeout: 3000,
    })
    .toBeGreaterThan(0)
  const { rates } = await admin.run('overview', {})
  const sum = (of: 'published' | 'changes'): number => rates.reduce((total, point) => total + point[of], 0)
  // Samples are a second apart, give or take the timer.
  expect(sum('published')).toBeGreaterThan(150)
  expect(sum('published')).toBeLessThan(250)
  expect(sum('published') / sum('changes')).toBeCloseTo(2, 0)
  const times = rates.map(({ at }) => Date.parse(at))
  expect(times).toEqual([...times].sort((a, b) => a - b))
})

test('many clients cost what one costs, and a slow store is asked once at a time', async () => {
  let asked = 0
  let running = 0
  let most = 0
  let release: () => void = () => {}
  const slow = new Promise<void>((resolve) => {
    release = resolve
  })
  const checks = async (): Promise<Check[]> => {
    asked += 1
    running += 1
    most = Math.max(most, running)
    await slow
    running -= 1
    return []
  }
  const { watch } = await adminStage({}, { checks })
  const seconds = watch({ topics: ['rates'] })
  const clients = Array.from({ length: 10 }, () => watch({ topics: ['overview'] }))
  // Two seconds pass while the first question is still unanswered.
  await expect.poll(() => seconds.length, { timeout: 6000 }).toBeGreaterThanOrEqual(3)
  expect([asked, most]).toEqual([1, 1])
  release()
  await expect.poll(() => clients.every((frames) => frames.length > 0)).toBe(true)
  // Nobody gets the seconds they missed all at once.
  for (const frames of clients) expect(frames.length).toBeLessThanOrEqual(2)
})
