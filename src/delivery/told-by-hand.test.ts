import { expect, test } from 'vitest'
import { until } from '../../test/support/until.ts'
import { event } from '../events/event.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import { testClock } from '../testing/test-clock.ts'
import { on } from './on.ts'

// What people change in the tables reaches the running consumer.

const sent = event('sent', { key: t.string(), n: t.int() }, { key: 'key' })
const effects = {
  setup: ({ sql }: { sql: (s: TemplateStringsArray) => Promise<unknown> }) =>
    sql`create table if not exists effects (id serial primary key, key text, n int)`,
}
const handled = async (running: TestApp): Promise<number[]> =>
  (await running.sql<{ n: number }>`select n from effects order by id`).map(({ n }) => n)

/** What an operation on a consumer does: the change, the revision, the word to all processes. */
async function tell(running: TestApp, name: string, change: string, notify = true): Promise<void> {
  await running.sql.query(change)
  await running.sql`update millrace.consumers set revision = revision + 1 where name = ${name}`
  if (notify) await running.sql`select pg_notify('millrace_consumers', ${name})`
}

const pause = `update millrace.consumers set paused = true where name = 'clerk'`
const resume = `update millrace.consumers set paused = false`

test.each([true, false])(
  'a paused consumer takes nothing and retries nothing, keeps its slots, and goes on when resumed (notified: %s)',
  async (notify) => {
    const tried: number[] = []
    let mended = false
    const clerk = on('clerk', sent, { backoff: { first: '1m' } }, async ({ data: { key, n }, sql }) => {
      tried.push(n)
      if (n === 1 && !mended) throw new Error('not yet')
      await sql`insert into effects (key, n) values (${key}, ${n})`
    })
    const others: number[] = []
    const other = on('other', sent, ({ data }) => others.push(data.n))
    const clock = testClock()
    await using running = await testApp(app('t', { sent, clerk, other }, effects), { clock })
    await running.publish(sent, { key: 'a', n: 1 })
    await running.settled()
    await tell(running, 'clerk', pause, notify)
    const slotsHeld = `select count(*)::int as held from millrace.consumer_slots where owner is not null and consumer = 'clerk'`
    // It is known to be paused once the other one handles what it leaves lying.
    await until('it stands still', async () => {
      const before = tried.length
      const n = 1000 + others.length
      await running.publish(sent, { key: 'b', n })
      await until('the other one goes on', () => others.includes(n))
      await new Promise((resolve) => setTimeout(resolve, 50))
      return tried.length === before
    })
    const before = [...tried]
    mended = true
    clock.advance('10m')
    await running.publish(sent, { key: 'a', n: 3 })
    await new Promise((resolve) => setTimeout(resolve, 700))
    expect(tried).toEqual(before)
    expect(await running.sql.query(slotsHeld)).toEqual([{ held: 16 }])

    const since = performance.now()
    await tell(running, 'clerk', resume, notify)
    await until('it goes on', async () => (await handled(running)).includes(3))
    expect(performance.now() - since).toBeLessThan(1500)
    const ofA = (await running.sql<{ n: number }>`select n from effects where key = 'a' order by id`).map(({ n }) => n)
    expect(ofA).toEqual([1, 3])
    await running.settled()
    expect(await running.sql`select 1 from millrace.deliveries`).toEqual([])
  },
)

test('an event that is put back in front of one that waits is handled first, and the later one keeps its tries', async () => {
  const seen: string[] = []
  let mended = false
  const clerk = on('clerk', sent, { attempts: 3, backoff: { first: '1m' } }, ({ data: { n }, attempt }) => {
    seen.push(`${n}.${attempt}`)
    if (!mended) throw new Error('not yet')
  })
  const clock = testClock()
  await using running = await testApp(app('t', { sent, clerk }), { clock })
  await running.publish(sent, { key: 'a', n: 1 })
  await running.settled()
  await until('it is dead', async () => {
    clock.advance('10m')
    return (await running.sql`select 1 from millrace.deliveries where state = 'dead'`).length === 1
  })
  await running.publish(sent, { key: 'a', n: 2 })
  await running.settled()
  expect(seen).toEqual(['1.1', '1.2', '1.3', '2.1'])
  mended = true
  await tell(
    running,
    'clerk',
    `update millrace.deliveries set state = 'retrying', attempt = 0, retry_at = now() where state = 'dead'`,
  )
  await until('both are handled', async () => (await running.sql`select 1 from millrace.deliveries`).length === 0)
  expect(seen.slice(4)).toEqual(['1.1', '2.2'])
})
