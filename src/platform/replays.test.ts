import { expect, test } from 'vitest'
import { until } from '../../test/support/until.ts'
import type { ReplayView } from '../admin/contract.ts'
import { on } from '../delivery/on.ts'
import { event } from '../events/event.ts'
import { t } from '../kernel/schema.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import { testDatabase } from '../testing/test-postgres.ts'
import { app } from './app-definition.ts'

const sent = event('sent', { key: t.string(), n: t.int() }, { key: 'key' })
const effects = {
  setup: ({ sql }: { sql: (s: TemplateStringsArray) => Promise<unknown> }) =>
    sql`create table if not exists effects (id serial primary key, key text, n int, replay text)`,
}
function clerk(broken: Set<string> = new Set(), options = {}) {
  return on('clerk', sent, { attempts: 1, ...options }, async ({ data: { key, n }, sql, replay }) => {
    if (broken.has(`${replay ?? 'live'}:${n}`)) throw new Error(`no ${n}`)
    await sql`insert into effects (key, n, replay) values (${key}, ${n}, ${replay})`
  })
}
async function publish(running: TestApp, from: number, to: number): Promise<void> {
  await Promise.all(
    Array.from({ length: to - from + 1 }, (_, i) => running.publish(sent, { key: `k${(from + i) % 3}`, n: from + i })),
  )
  await running.settled()
}
const replayed = async (running: TestApp, replay: string): Promise<number[]> =>
  (await running.sql<{ n: number }>`select n from effects where replay = ${replay} order by id`).map(({ n }) => n)
async function reaches(running: TestApp, id: string, state: ReplayView['state']): Promise<ReplayView> {
  let view = await running.operate('replayStatus', { id })
  await until(`the replay is ${state}`, async () => {
    view = await running.operate('replayStatus', { id })
    return view.state === state
  })
  return view
}
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)

test('a replay handles what was chosen once more, in order per key, beside normal delivery; the handler is told', async () => {
  await using running = await testApp(app('t', { sent, clerk: clerk() }, effects))
  await publish(running, 1, 30)
  expect(await running.operate('planReplay', { consumer: 'clerk', fromPosition: 11, untilPosition: 25 })).toEqual({
    fromPosition: 11,
    untilPosition: 25,
    events: 15,
    counted: true,
    keys: 3,
  })
  const started = await running.operate('replay', {
    consumer: 'clerk',
    fromPosition: 11,
    untilPosition: 25,
    by: 'ann',
    reason: 'a bug',
  })
  expect(started).toMatchObject({ id: '1', state: 'running', by: 'ann', reason: 'a bug', filter: {} })
  await publish(running, 31, 40)
  const done = await reaches(running, started.id, 'done')
  expect(done).toMatchObject({ handled: 15, progress: 1, position: 25, dead: 0, finishedAt: expect.any(String) })
  const again = await replayed(running, started.id)
  expect([...again].sort((a, b) => a - b)).toEqual(range(11, 25))
  for (const k of [0, 1, 2]) {
    const own = again.filter((n) => n % 3 === k)
    expect(own).toEqual([...own].sort((a, b) => a - b))
  }
  const [live] = await running.sql`select count(*)::int as n from effects where replay is null`
  expect(live).toEqual({ n: 40 })
})

test('a replay chooses by time, key, type and correlation', async () => {
  await using running = await testApp(app('t', { sent, clerk: clerk() }, effects))
  await publish(running, 1, 9)
  const [{ now } = { now: '' }] = await running.sql<{ now: string }>`select clock_timestamp() as now`
  await publish(running, 10, 18)
  const id = await running.publish(sent, { key: 'k0', n: 19 }, { correlation: 'order-7' })
  await running.settled()
  const plan = async (more: object) => (await running.operate('planReplay', { consumer: 'clerk', ...more })).events
  expect(await plan({})).toBe(19)
  expect(await plan({ fromTime: now })).toBe(10)
  expect(await plan({ untilTime: now })).toBe(9)
  expect(await plan({ fromTime: now, key: 'k0' })).toBe(4)
  expect(await plan({ correlation: 'order-7' })).toBe(1)
  expect(await plan({ type: 'se*' })).toBe(19)
  expect(await plan({ type: 'other' })).toBe(0)
  await expect(running.operate('planReplay', { consumer: 'clerk', fromPosition: 99 })).rejects.toMatchObject({
    code: 'INPUT_INVALID',
  })
  await expect(running.operate('planReplay', { consumer: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  const { id: replay } = await running.operate('replay', { consumer: 'clerk', correlation: 'order-7' })
  await reaches(running, replay, 'done')
  expect(await replayed(running, replay)).toEqual([19])
  expect(id).toMatch(/-7/)
})

test('the same request starts one replay', async () => {
  await using running = await testApp(app('t', { sent, clerk: clerk(), other: on('other', sent, () => {}) }, effects))
  await publish(running, 1, 5)
  const [first, second] = await Promise.all([
    running.operate('replay', { consumer: 'clerk', request: 'r1' }),
    running.operate('replay', { consumer: 'clerk', request: 'r1' }),
  ])
  expect(second.id).toBe(first.id)
  await reaches(running, first.id, 'done')
  expect(await running.operate('replays', {})).toHaveLength(1)
  expect(await replayed(running, first.id)).toHaveLength(5)
  await expect(running.operate('replay', { consumer: 'other', request: 'r1' })).rejects.toMatchObject({
    code: 'CONFLICT',
  })
})

test('a replay goes no faster than its rate, stands still while paused, and ends for good when cancelled', async () => {
  await using running = await testApp(app('t', { sent, clerk: clerk() }, effects))
  await publish(running, 1, 200)
  const { id } = await running.operate('replay', { consumer: 'clerk', rate: 20 })
  const since = performance.now()
  await until('some are handled', async () => (await replayed(running, id)).length >= 10)
  expect(await running.operate('pauseReplay', { id })).toMatchObject({ state: 'paused' })
  const seconds = (performance.now() - since) / 1000
  expect((await replayed(running, id)).length).toBeLessThanOrEqual(20 * seconds + 6)
  // Resumed, it goes on where it was.
  const before = (await replayed(running, id)).length
  await running.operate('resumeReplay', { id })
  await until('it goes on', async () => (await replayed(running, id)).length > before)
  const cancelled = await running.operate('cancelReplay', { id })
  expect(cancelled).toMatchObject({ state: 'cancelled' })
  const at = await replayed(running, id)
  expect(at).toHaveLength(cancelled.handled)
  expect(new Set(at).size).toBe(at.length)
  await expect(running.operate('resumeReplay', { id })).rejects.toMatchObject({ code: 'CONFLICT' })
  // The consumer itself goes on, and nothing of the cancelled one happens any more.
  await publish(running, 201, 210)
  expect(await replayed(running, id)).toEqual(at)
})

test('failures in a replay are dead letters of that replay, and redriven there', async () => {
  const broken = new Set(['1:2', '1:4'])
  await using running = await testApp(app('t', { sent, clerk: clerk(broken) }, effects))
  await publish(running, 1, 6)
  const { id } = await running.operate('replay', { consumer: 'clerk' })
  expect(await reaches(running, id, 'done')).toMatchObject({ handled: 4, dead: 2 })
  expect(await running.operate('failures', {})).toMatchObject([{ consumer: 'clerk', replay: '1', dead: 2 }])
  expect(await running.operate('deadLetters', { replay: '1' })).toMatchObject({
    total: 2,
    deliveries: [{ consumer: 'clerk', replay: '1' }, {}],
  })
  expect((await running.operate('consumers', {}))[0]).toMatchObject({ dead: 0, status: 'ok' })
  // Those of a replay are meant only where it is named.
  expect(await running.operate('redrive', { consumer: 'clerk' })).toMatchObject({ redriven: 0 })
  broken.clear()
  expect(await running.operate('redrive', { replay: '1' })).toMatchObject({ redriven: 2, consumers: ['clerk'] })
  expect(await reaches(running, id, 'done')).toMatchObject({ handled: 6, dead: 0 })
  expect([...(await replayed(running, id))].sort((a, b) => a - b)).toEqual(range(1, 6))
})

test('a replay that stops at a failure handles nothing after it until it is resumed', async () => {
  const broken = new Set(['1:3'])
  await using running = await testApp(app('t', { sent, clerk: clerk(broken) }, effects))
  await publish(running, 1, 6)
  const { id } = await running.operate('replay', { consumer: 'clerk', onFailure: 'stop' })
  expect(await reaches(running, id, 'stopped')).toMatchObject({ handled: 2, dead: 1 })
  expect(await replayed(running, id)).toEqual([1, 2])
  await running.operate('resumeReplay', { id })
  expect(await reaches(running, id, 'done')).toMatchObject({ handled: 5, dead: 1 })
  expect(await replayed(running, id)).toEqual([1, 2, 4, 5, 6])
})

test('another process takes a replay over when its own is gone, and nothing is handled twice', async () => {
  const database = await testDatabase()
  const definition = app('t', { sent, clerk: clerk() }, effects)
  const first = await testApp(definition, { url: database.url, memberName: 'one' })
  const second = await testApp(definition, { url: database.url, memberName: 'two' })
  try {
    await publish(first, 1, 60)
    const { id } = await first.operate('replay', { consumer: 'clerk', rate: 40 })
    await until('it goes', async () => (await replayed(first, id)).length >= 5)
    const { member } = await first.operate('replayStatus', { id })
    const [holder, other] = member === 'one' ? [first, second] : [second, first]
    await holder.stop()
    const done = await reaches(other, id, 'done')
    expect(done.handled).toBe(60)
    const again = await replayed(other, id)
    expect([...again].sort((a, b) => a - b)).toEqual(range(1, 60))
  } finally {
    await Promise.all([first.stop(), second.stop()])
    await database.drop()
  }
})

test('a holder that is taken for dead repeats nothing of a replay', async () => {
  const database = await testDatabase()
  const definition = app('t', { sent, clerk: clerk() }, effects)
  const first = await testApp(definition, { url: database.url, memberName: 'one' })
  const second = await testApp(definition, { url: database.url, memberName: 'two' })
  try {
    await publish(first, 1, 300)
    const { id } = await first.operate('replay', { consumer: 'clerk', rate: 150 })
    const holders = new Set<string | null>()
    await until('it is done', async () => {
      const { state, member } = await second.operate('replayStatus', { id })
      holders.add(member)
      // Its slots go to the other at once; it finds out when it wants to commit.
      if (state === 'running') await first.sql`delete from millrace.members where name = ${member}`
      await new Promise((resolve) => setTimeout(resolve, 300))
      return state === 'done'
    })
    expect(holders).toEqual(new Set([...holders, 'one', 'two']))
    expect((await first.operate('replayStatus', { id })).handled).toBe(300)
    expect([...(await replayed(first, id))].sort((a, b) => a - b)).toEqual(range(1, 300))
  } finally {
    await Promise.all([first.stop(), second.stop()])
    await database.drop()
  }
}, 30_000)
