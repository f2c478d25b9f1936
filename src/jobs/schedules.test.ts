import { afterEach, expect, test } from 'vitest'
import { app, type Part } from '../platform/app-definition.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import { type TestClock, testClock } from '../testing/test-clock.ts'
import { testDatabase } from '../testing/test-postgres.ts'
import { type Missed, type ScheduleRun, schedule } from './schedule.ts'
import { listSchedules, pauseSchedule, resumeSchedule, runSchedule } from './schedules.ts'

/** Patient, for machines under load. */
const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 10_000 })

const open: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.stop()
})
async function start(parts: Part[], options: Parameters<typeof testApp>[1]): Promise<TestApp> {
  const running = await testApp(app('timed', parts), options)
  open.push(running)
  return running
}
async function database(): Promise<string> {
  const made = await testDatabase()
  open.push({ stop: () => made.drop() })
  return made.url
}
const noon = (): TestClock => testClock(new Date('2026-05-04T12:00:00Z'))

test('fires at its times, once across two processes, in order', async () => {
  const clock = noon()
  const seen: string[] = []
  const hourly = schedule('hourly', '0 * * * *', ({ data }) => seen.push(data.due))
  const { databaseUrl } = await start([hourly], { clock })
  await start([hourly], { clock, url: databaseUrl })
  clock.advance('59m')
  expect(seen).toEqual([])
  for (let hour = 1; hour <= 3; hour += 1) {
    clock.advance('1h')
    await expect.poll(() => seen.length, { timeout: 5000 }).toBe(hour)
  }
  expect(seen).toEqual(['2026-05-04T13:00:00.000Z', '2026-05-04T14:00:00.000Z', '2026-05-04T15:00:00.000Z'])
})

test.each<[Missed, ScheduleRun[]]>([
  ['skip', []],
  ['once', [{ due: '2026-05-04T15:00:00.000Z', missed: 2, manual: false }]],
  ['all', ['13', '14', '15'].map((hour) => ({ due: `2026-05-04T${hour}:00:00.000Z`, missed: 0, manual: false }))],
])('missed: %s, after hours in which nothing ran', async (missed, expected) => {
  const clock = noon()
  const url = await database()
  const seen: ScheduleRun[] = []
  const hourly = schedule('hourly', '0 * * * *', { missed }, ({ data }) => seen.push(data))
  const first = await start([hourly], { clock, url })
  await first.stop()
  clock.advance('3h')
  clock.advance('10m')
  const again = await start([hourly], { clock, url })
  const next = async (): Promise<string | undefined> => (await listSchedules(again.store))[0]?.next[0]
  await expect.poll(next, { timeout: 5000 }).toBe('2026-05-04T16:00:00.000Z')
  await again.settled()
  expect(seen).toEqual(expected)
})

test('a short outage is lateness: what is skipped when missed still comes', async () => {
  const clock = noon()
  const url = await database()
  const seen: string[] = []
  const hourly = schedule('hourly', '0 * * * *', { missed: 'skip' }, ({ data }) => seen.push(data.due))
  const first = await start([hourly], { clock, url })
  clock.advance(59 * 60_000 + 58_000)
  await first.stop()
  clock.advance('7s')
  await start([hourly], { clock, url })
  await expect.poll(() => seen, { timeout: 5000 }).toEqual(['2026-05-04T13:00:00.000Z'])
})

test('months of a schedule by the second make one run', async () => {
  const clock = noon()
  const url = await database()
  const seen: ScheduleRun[] = []
  const busy = schedule('busy', '* * * * * *', ({ data }) => seen.push(data))
  const first = await start([busy], { clock, url })
  await first.stop()
  clock.advance('90d')
  await start([busy], { clock, url })
  await expect.poll(() => seen, { timeout: 5000 }).toHaveLength(1)
  expect(seen[0]).toMatchObject({ due: new Date(clock.now()).toISOString() })
})

test('a run that fails is tried again', async () => {
  const clock = noon()
  const tries: number[] = []
  const flaky = schedule('flaky', { every: '1h' }, { backoff: { first: '1s' } }, ({ attempt }) => {
    tries.push(attempt)
    if (attempt === 1) throw new Error('no')
  })
  await start([flaky], { clock })
  clock.advance('1h')
  await expect.poll(() => tries, { timeout: 5000 }).toEqual([1])
  await expect
    .poll(
      () => {
        clock.advance('1s')
        return tries
      },
      { timeout: 5000 },
    )
    .toEqual([1, 2])
})

test('is paused, resumed and run by hand', async () => {
  const clock = noon()
  const seen: ScheduleRun[] = []
  const hourly = schedule('hourly', '0 * * * *', { missed: 'all' }, ({ data }) => seen.push(data))
  const running = await start([hourly], { clock })
  await pauseSchedule(running.store, 'hourly')
  expect(await listSchedules(running.store)).toMatchObject([{ name: 'hourly', paused: true, next: [], active: true }])
  clock.advance('2h')
  await runSchedule(running.store, 'hourly', clock.now())
  await eventually(() => seen).toEqual([{ due: '2026-05-04T14:00:00.000Z', missed: 0, manual: true }])
  clock.advance('30m')
  await resumeSchedule(running.store, 'hourly', clock.now())
  expect(await listSchedules(running.store, 2)).toMatchObject([
    { paused: false, next: ['2026-05-04T15:00:00.000Z', '2026-05-04T16:00:00.000Z'], fired: 1 },
  ])
  clock.advance('30m')
  await expect.poll(() => seen.length, { timeout: 5000 }).toBe(2)
  expect(seen[1]).toMatchObject({ due: '2026-05-04T15:00:00.000Z', manual: false })
  await expect(runSchedule(running.store, 'nightly', 0)).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('a changed rule begins anew, an unchanged one keeps its place', async () => {
  const clock = noon()
  const url = await database()
  const next = async ({ store }: TestApp): Promise<string | undefined> => (await listSchedules(store))[0]?.next[0]
  const first = await start([schedule('s', { every: '1h' }, () => undefined)], { clock, url })
  await first.stop()
  clock.advance('20m')
  const second = await start([schedule('s', { every: '1h' }, () => undefined)], { clock, url })
  expect(await next(second)).toBe('2026-05-04T13:00:00.000Z')
  await second.stop()
  const third = await start([schedule('s', { every: '2h' }, () => undefined)], { clock, url })
  expect(await next(third)).toBe('2026-05-04T14:20:00.000Z')
})
