import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import { job } from './job.ts'

/** What is at work now, across both processes, and the most there ever was at once. */
const atWork = new Map<string, number>()
let mostPerKey = 0
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
async function counted(key: string, ms: number): Promise<void> {
  const now = (atWork.get(key) ?? 0) + 1
  atWork.set(key, now)
  mostPerKey = Math.max(mostPerKey, now)
  await sleep(ms)
  atWork.set(key, (atWork.get(key) ?? 0) - 1)
}

const limited = job(
  'limited',
  { key: t.string(), ms: t.int() },
  { concurrency: 8, perKey: { key: ({ key }) => key, concurrency: 2 }, backoff: { first: 1, max: 5 } },
  async ({ data: { key, ms }, attempt }) => {
    await counted(key, ms)
    if (ms === 3 && attempt === 1) throw new Error('once more')
  },
)
const single = job(
  'single',
  { key: t.string(), n: t.int() },
  { concurrency: 8, unique: ({ key }) => key },
  async ({ data: { key }, id }) => {
    await counted(key, 2)
    return id
  },
)

let first: TestApp
let second: TestApp
beforeAll(async () => {
  first = await testApp(app('keys', { limited, single }))
  second = await testApp(app('keys', { limited, single }), { url: first.databaseUrl })
})
afterAll(async () => {
  await second?.stop()
  await first?.stop()
})
const done = async (): Promise<boolean> =>
  (await first.sql`select 1 from millrace.jobs union all select 1 from millrace.job_runs limit 1`).length === 0

test('never more jobs of one key are at work than it allows, and all are done', async () => {
  let added = 0
  let peak = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), ms: fc.integer({ min: 0, max: 4 }) }), {
        maxLength: 60,
      }),
      fc.boolean(),
      async (jobs, together) => {
        mostPerKey = 0
        if (together) await first.within(() => limited.addMany(jobs))
        else
          await Promise.all(
            jobs.map((each, i) => (i % 2 === 0 ? first : second).within(() => limited.add(each, { priority: i % 3 }))),
          )
        added += jobs.length
        await expect.poll(done, { timeout: 20_000, interval: 10 }).toBe(true)
        expect(mostPerKey).toBeLessThanOrEqual(2)
        peak = Math.max(peak, mostPerKey)
      },
    ),
    { numRuns: 12 },
  )
  const [row] = await first.sql<{ n: number }>`
    select count(*)::int as n from millrace.finished_jobs where queue = 'limited' and state = 'done'`
  expect(row?.n).toBe(added)
  expect(peak).toBe(2)
})

test('a thousand jobs of a key that is busy do not hide those of another', async () => {
  const slow = Array.from({ length: 3000 }, () => ({ key: 'busy', ms: 40 }))
  const ids = await first.within(() => limited.addMany(slow))
  const other = await first.within(() => limited.add({ key: 'free', ms: 0 }))
  const since = performance.now()
  await first.within(() => limited.waitFor(other, { timeout: '10s' }))
  expect(performance.now() - since).toBeLessThan(5000)
  const waiting = await first.sql`select 1 from millrace.jobs where queue = 'limited'`
  expect(waiting.length).toBeGreaterThan(1000)
  await first.sql`delete from millrace.jobs where queue = 'limited'`
  expect(ids).toHaveLength(3000)
  await expect.poll(done, { timeout: 20_000 }).toBe(true)
})

test('of one unique key one job waits or is at work, whoever adds it, and each adder is told which', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          key: fc.constantFrom('x', 'y', 'z'),
          how: fc.constantFrom('first', 'second', 'kept', 'undone'),
          pause: fc.integer({ min: 0, max: 3 }),
        }),
        { minLength: 1, maxLength: 40 },
      ),
      async (adds) => {
        mostPerKey = 0
        const told = await Promise.all(
          adds.map(async ({ key, how, pause }, n) => {
            await sleep(pause)
            if (how === 'first') return first.within(() => single.add({ key, n }))
            if (how === 'second') return second.within(() => single.add({ key, n }))
            try {
              return await first.transaction(async ({ sql }) => {
                const id = await first.within(() => single.add({ key, n }, { client: sql }))
                if (how === 'undone') throw new Error('undone')
                return id
              })
            } catch (error) {
              if ((error as Error).message !== 'undone') throw error
              return undefined
            }
          }),
        )
        await expect.poll(done, { timeout: 20_000, interval: 10 }).toBe(true)
        expect(mostPerKey).toBeLessThanOrEqual(1)
        // Whoever was told an id can rely on a job of that key with that id: it was done.
        for (const id of new Set(told)) {
          if (id !== undefined) expect(await first.within(() => single.result(id))).toBe(id)
        }
        expect(await first.sql`select 1 from millrace.job_keys`).toEqual([])
      },
    ),
    { numRuns: 15 },
  )
})
