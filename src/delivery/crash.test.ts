import { expect, test } from 'vitest'
import { crashApp, deadly, effects, sent } from '../../test/support/crash-app.ts'
import { type CrashProcess, startCrashProcess } from '../../test/support/crash-process.ts'
import { until } from '../../test/support/until.ts'
import { app } from '../platform/app-definition.ts'
import { testApp } from '../testing/test-app.ts'
import { testDatabase } from '../testing/test-postgres.ts'

test('an event whose handling kills its process becomes a dead letter; all others are handled once, in order', async () => {
  await using base = await testApp(app('crash', { sent }, { setup: effects }))
  const events = Array.from({ length: 40 }, (_, n) => ({ key: n % 2 === 1 ? 'odd' : `even-${n % 8}`, n }))
  await Promise.all(events.map((data) => base.publish(sent, data)))
  await base.settled()
  let deaths = 0
  const dead = async () =>
    base.sql<{ n: number; code: string }>`
      select (e.data->>'n')::int as n, d.error->>'code' as code from millrace.deliveries d join millrace.events e on e.key = d.key
       where d.state = 'dead' and (e.data->>'n')::int = ${deadly}`
  while ((await dead()).length === 0) {
    const child = startCrashProcess(base.databaseUrl)
    const over = child.ended.then(() => true)
    while (!(await Promise.race([over, new Promise<false>((resolve) => setTimeout(() => resolve(false), 50))]))) {
      if ((await dead()).length > 0) child.kill()
    }
    deaths += 1
    expect(deaths).toBeLessThan(8)
    await base.sql`delete from millrace.members where name = 'child'` // nobody waits for its time to run out
  }
  expect(await dead()).toEqual([{ n: deadly, code: 'HANDLER_KILLED' }])
  // Two of a whole stretch, two alone, and the last one is ours.
  expect(deaths).toBe(5)

  const last = startCrashProcess(base.databaseUrl)
  await until('the others are handled', async () => (await base.sql`select 1 from effects`).length === 39, 20_000)
  last.kill()
  await last.ended
  const rows = await base.sql<{ key: string; n: number }>`select key, n from effects order by id`
  expect(rows.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(events.map(({ n }) => n).filter((n) => n !== deadly))
  for (const key of new Set(events.map((one) => one.key))) {
    const own = rows.filter((row) => row.key === key).map(({ n }) => n)
    expect(own).toEqual(own.toSorted((a, b) => a - b))
  }
}, 90_000)

test('two seconds after a process was killed another one handles its keys', async () => {
  const database = await testDatabase()
  let victim: CrashProcess | undefined
  try {
    // The first process has all duties of the fleet: sequencing too has to go over.
    victim = startCrashProcess(database.url)
    await victim.ready
    await using survivor = await testApp(crashApp, { url: database.url, memberName: 'survivor' })
    await until('both have slots', async () => {
      const held =
        await survivor.sql`select owner from millrace.consumer_slots where consumer = 'worker' group by owner having count(*) = 8`
      return held.length === 2
    })
    victim.kill()
    const since = performance.now()
    await Promise.all(Array.from({ length: 100 }, (_, n) => survivor.publish(sent, { key: `key-${n}`, n: 1000 + n })))
    await until('all are handled', async () => (await survivor.sql`select 1 from effects`).length === 100)
    const tookMs = performance.now() - since
    process.stderr.write(`taken over ${Math.round(tookMs)} ms after kill -9\n`)
    // Two seconds are the promise; the rest is for machines under load.
    expect(tookMs).toBeLessThan(3000)
  } finally {
    victim?.kill()
    await victim?.ended
    await database.drop()
  }
}, 30_000)
