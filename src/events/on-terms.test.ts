import fc from 'fast-check'
import pg from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { on } from '../delivery/on.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import { testClock } from '../testing/test-clock.ts'
import { testDatabase } from '../testing/test-postgres.ts'
import { event } from './event.ts'
import { hashedId } from './own-id.ts'
import { cancelScheduled } from './scheduled.ts'

/** Patient, for machines under load. */
const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 10_000 })

const reminder = event('reminder', { n: t.int() })
const placed = event('order.placed', { n: t.int() }, { dedupe: '1h' })

const open: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.stop()
})
async function start(options: Parameters<typeof testApp>[1] = {}, handled: number[] = []): Promise<TestApp> {
  const consumer = on('follow', reminder, ({ data }) => handled.push(data.n))
  const running = await testApp(app('later', [reminder, placed, consumer]), options)
  open.push(running)
  return running
}
const stored = async ({ sql }: TestApp, type: string): Promise<number[]> =>
  (
    await sql<{ n: number }>`
      select (data->>'n')::int as n from millrace.events where type = ${type} order by ordinal`
  ).map(({ n }) => n)

describe('published for later', () => {
  test('an event enters the log when its time has come, and not before', async () => {
    const clock = testClock()
    const handled: number[] = []
    const running = await start({ clock }, handled)
    await running.publish(reminder, { n: 1 }, { at: '1h' })
    await running.publish(reminder, { n: 2 }, { at: new Date(clock.now() + 7_200_000) })
    await running.publish(reminder, { n: 3 }, { at: new Date(clock.now() + 1_800_000).toISOString() })
    clock.advance('59m')
    await running.settled()
    expect(handled).toEqual([3])
    clock.advance('2h')
    await running.settled()
    expect(handled).toEqual([3, 1, 2])
    expect(await running.sql`select 1 from millrace.scheduled`).toEqual([])
  })

  test('in real time it is handled within 100 ms of its time, an earlier one stored later included', async () => {
    const late: number[] = []
    const timed = event('timed', { due: t.number() })
    const consumer = on('follow', timed, ({ data }) => {
      late.push(Date.now() - data.due)
    })
    const running = await testApp(app('later', [consumer]))
    open.push(running)
    for (const waitMs of [700, 300, 450]) {
      const due = Date.now() + waitMs
      await running.publish(timed, { due }, { at: new Date(due) })
    }
    await expect.poll(() => late.length, { timeout: 5000 }).toBe(3)
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0)
    // 100 ms is the promise; the rest is for machines under load.
    expect(late.toSorted((a, b) => a - b)[1]).toBeLessThan(100)
  })

  test('it exists exactly if the transaction of the caller committed', async () => {
    const clock = testClock()
    const running = await start({ clock })
    await running
      .transaction(async ({ publish }) => {
        await publish(reminder, { n: 1 }, { at: '1m' })
        throw new Error('no')
      })
      .catch(() => undefined)
    await running.transaction(({ publish }) => publish(reminder, { n: 2 }, { at: '1m' }))
    clock.advance('2m')
    await eventually(() => stored(running, 'reminder')).toEqual([2])
  })

  test('cancelled in time it never comes; too late says so', async () => {
    const clock = testClock()
    const running = await start({ clock })
    const id = await running.publish(reminder, { n: 1 }, { at: '1m', id: 'r-1' })
    const other = await running.publish(reminder, { n: 2 }, { at: '1m' })
    expect(await cancelScheduled(running.sql, id)).toBe(true)
    expect(await cancelScheduled(running.sql, id)).toBe(false)
    clock.advance('2m')
    await eventually(() => stored(running, 'reminder')).toEqual([2])
    expect(await cancelScheduled(running.sql, other)).toBe(false)
    // Its own id is free again.
    expect(await running.publish(reminder, { n: 3 }, { id: 'r-1' })).toBe(id)
    expect(await stored(running, 'reminder')).toEqual([2, 3])
  })

  test('thousands due at once come in order of time, each once, with two processes at work', async () => {
    const clock = testClock()
    const running = await start({ clock })
    const second = await start({ clock, url: running.databaseUrl })
    const count = 3500
    await Promise.all(
      Array.from({ length: count }, (_, i) =>
        (i % 2 === 0 ? running : second).publish(reminder, { n: i }, { at: (i * 7919) % count }),
      ),
    )
    clock.advance('1h')
    await expect.poll(async () => (await stored(running, 'reminder')).length, { timeout: 20_000 }).toBe(count)
    const expected = Array.from({ length: count }, (_, i) => i).sort(
      (a, b) => ((a * 7919) % count) - ((b * 7919) % count),
    )
    expect(await stored(running, 'reminder')).toEqual(expected)
  })

  test('it survives a restart, and what came due meanwhile comes then', async () => {
    const clock = testClock()
    const database = await testDatabase()
    open.push({ stop: () => database.drop() })
    const first = await start({ clock, url: database.url })
    await first.publish(reminder, { n: 1 }, { at: '1h' })
    await first.stop()
    clock.advance('2h')
    const handled: number[] = []
    await start({ clock, url: database.url }, handled)
    await eventually(() => handled).toEqual([1])
  })

  test('a time that is none is refused', async () => {
    const running = await start()
    for (const at of ['tomorrow', Date.now(), new Date('x'), '2026-01-01'])
      await expect(running.publish(reminder, { n: 1 }, { at })).rejects.toMatchObject({ code: 'OPTION_INVALID' })
  })
})

describe('with an id of its own', () => {
  test('a second publish stores nothing and has the same event id', async () => {
    const running = await start()
    const ids = [
      await running.publish(placed, { n: 1 }, { id: 'order-42' }),
      await running.publish(placed, { n: 2 }, { id: 'order-42' }),
      await running.publish(reminder, { n: 3 }, { id: 'order-42' }),
    ]
    expect(ids[1]).toBe(ids[0])
    expect(ids[2]).not.toBe(ids[0])
    expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(await stored(running, 'order.placed')).toEqual([1])
    expect(await stored(running, 'reminder')).toEqual([3])
  })

  test('a UUID is the id of the event, per type', async () => {
    const running = await start()
    const id = '018f2b3c-7c11-7a00-8000-1234567890ab'
    expect(await running.publish(placed, { n: 1 }, { id: id.toUpperCase() })).toBe(id)
    expect(await running.publish(placed, { n: 2 }, { id })).toBe(id)
    expect(await running.publish(reminder, { n: 3 }, { id })).toBe(id)
    expect(await stored(running, 'order.placed')).toEqual([1])
    expect(await stored(running, 'reminder')).toEqual([3])
  })

  test('the id is free again after the time that the event says, and its row is pruned', async () => {
    const clock = testClock()
    const running = await start({ clock })
    await running.publish(placed, { n: 1 }, { id: 'a' })
    clock.advance('59m')
    await running.publish(placed, { n: 2 }, { id: 'a' })
    clock.advance('2m')
    await running.publish(placed, { n: 3 }, { id: 'a' })
    expect(await stored(running, 'order.placed')).toEqual([1, 3])
    clock.advance('2h')
    await expect.poll(() => running.sql`select 1 from millrace.event_ids`, { timeout: 10_000 }).toEqual([])
  })

  test('whoever meets the id in an open transaction waits for its end, and holds up nobody else', async () => {
    const running = await start()
    const client = new pg.Client(running.databaseUrl)
    await client.connect()
    for (const [end, expected] of [
      ['rollback', [2]],
      ['commit', [11]],
    ] as const) {
      const base = end === 'commit' ? 10 : 0
      await running.sql`delete from millrace.events`
      await client.query('begin')
      await running.publish(placed, { n: base + 1 }, { id: end, client })
      let ended = false
      const waiting = running.publish(placed, { n: base + 2 }, { id: end }).finally(() => {
        ended = true
      })
      await Promise.all([
        running.publish(reminder, { n: 1 }),
        running.publish(reminder, { n: 2 }, { id: `other ${end}` }),
      ])
      expect(ended).toBe(false)
      await client.query(end)
      await waiting
      expect(await stored(running, 'order.placed')).toEqual(expected)
    }
    await client.end()
  })

  test('any mix of batches, processes and rollbacks stores the first committed one of each id', async () => {
    const running = await start()
    const second = await start({ url: running.databaseUrl })
    let round = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            id: fc.integer({ min: 0, max: 5 }),
            where: fc.constantFrom('first', 'second', 'kept', 'undone'),
            later: fc.boolean(),
          }),
          { minLength: 1, maxLength: 40 },
        ),
        async (publishes) => {
          round += 1
          const name = (id: number): string => `${round}-${id}`
          await Promise.all(
            publishes.map(async ({ id, where, later }) => {
              const options = { id: name(id), ...(later ? { at: 1 } : {}) }
              if (where === 'first') await running.publish(placed, { n: id }, options)
              else if (where === 'second') await second.publish(placed, { n: id }, options)
              else
                await running
                  .transaction(async ({ publish }) => {
                    await publish(placed, { n: id }, options)
                    if (where === 'undone') throw new Error('undone')
                  })
                  .catch((error: unknown) => {
                    if ((error as Error).message !== 'undone') throw error
                  })
            }),
          )
          const ids = [...new Set(publishes.filter(({ where }) => where !== 'undone').map(({ id }) => id))]
          const expected = ids.map((id) => hashedId('order.placed', name(id))).sort()
          const count = async (): Promise<string[]> =>
            (
              await running.sql<{ id: string }>`
                select id::text from millrace.events where type = 'order.placed' and id = any(${allOf(name)}) order by 1`
            ).map((row) => row.id)
          await expect.poll(count, { timeout: 5000 }).toEqual(expected)
        },
      ),
      { numRuns: 15 },
    )
  })

  test('thousands at once, every second one a double', async () => {
    const running = await start()
    const ids = await Promise.all(
      Array.from({ length: 6000 }, (_, i) => running.publish(placed, { n: i }, { id: `o-${i % 3000}` })),
    )
    expect(new Set(ids).size).toBe(3000)
    expect(await stored(running, 'order.placed')).toEqual(Array.from({ length: 3000 }, (_, i) => i))
  })
})

const allOf = (name: (id: number) => string): string[] =>
  [0, 1, 2, 3, 4, 5].map((id) => hashedId('order.placed', name(id)))
