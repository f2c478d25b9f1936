import pg from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { on } from '../delivery/on.ts'
import { event } from '../events/event.ts'
import { t } from '../kernel/schema.ts'
import { app, type Part } from '../platform/app-definition.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import { testClock } from '../testing/test-clock.ts'
import { job } from './job.ts'
import { countJobs, listJobs } from './list-jobs.ts'
import { retryJob } from './mend-jobs.ts'

/** Patient, for machines under load. */
const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 10_000 })

const open: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.stop()
})
async function start(parts: Part[], options: Parameters<typeof testApp>[1] = {}): Promise<TestApp> {
  const running = await testApp(app('works', parts), options)
  open.push(running)
  return running
}
/** A promise and how to end it. */
function gate(): { passed: Promise<void>; open(): void } {
  let pass = (): void => undefined
  const passed = new Promise<void>((resolve) => {
    pass = resolve
  })
  return { passed, open: () => pass() }
}

describe('a job', () => {
  test('is done once, and its result can be read and waited for', async () => {
    const seen: number[] = []
    const double = job('double', { n: t.int() }, ({ data }) => {
      seen.push(data.n)
      return { twice: data.n * 2 }
    })
    await start([double])
    const id = await double.add({ n: 21 })
    expect(await double.waitFor(id)).toEqual({ twice: 42 })
    expect(await double.result(id)).toEqual({ twice: 42 })
    expect(await double.status(id)).toMatchObject({ state: 'done', attempt: 1 })
    const ids = await double.addMany([{ n: 1 }, { n: 2 }])
    expect(await Promise.all(ids.map((each) => double.waitFor(each)))).toEqual([{ twice: 2 }, { twice: 4 }])
    expect(seen).toEqual([21, 1, 2])
  })

  test('whose data does not fit is refused where it is added', async () => {
    const double = job('double', { n: t.int() }, () => undefined)
    await start([double])
    await expect(double.add({ n: 'x' } as never)).rejects.toMatchObject({ code: 'INPUT_INVALID' })
    await expect(double.add({ n: 1 }, { key: 'k' })).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    await expect(double.add({ n: 1 }, { priority: 40_000 })).rejects.toMatchObject({ code: 'OPTION_INVALID' })
    await expect(double.waitFor('018f2b3c-7c11-7a00-8000-1234567890ab')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('exists exactly if the transaction that added it committed', async () => {
    const seen: number[] = []
    const note = job('note', { n: t.int() }, ({ data }) => seen.push(data.n))
    const running = await start([note])
    const client = new pg.Client(running.databaseUrl)
    await client.connect()
    await client.query('begin')
    await note.add({ n: 1 }, { client })
    await client.query('rollback')
    await client.query('begin')
    await note.add({ n: 2 }, { client })
    await client.query('commit')
    await client.end()
    const id = await running.transaction(({ sql }) => note.add({ n: 3 }, { client: sql }))
    await note.waitFor(id)
    await eventually(() => seen.toSorted()).toEqual([2, 3])
  })

  test('has effects in Postgres and events exactly once, whatever fails around its end', async () => {
    const made = event('made', { n: t.int() })
    const make = job('make', { n: t.int() }, { backoff: { first: 1 } }, async ({ data, sql, publish, attempt }) => {
      await sql`insert into effects values (${data.n}, ${attempt})`
      await publish(made, { n: data.n })
    })
    const heard: number[] = []
    const running = await start([make, on('hear', made, ({ data }) => heard.push(data.n))])
    await running.sql`create table effects (n int, attempt int)`
    for (const [n, point] of [
      [1, 'jobs.handled'],
      [2, 'jobs.finished'],
    ] as const) {
      const disarm = running.faults.arm(point)
      const id = await make.add({ n })
      await eventually(async () => (await make.status(id))?.attempt ?? 0).toBeGreaterThan(1)
      disarm()
      await make.waitFor(id)
    }
    const rows = await running.sql<{ n: number; attempt: number }>`select * from effects order by n`
    expect(rows.map(({ n }) => n)).toEqual([1, 2])
    expect(rows.every(({ attempt }) => attempt > 1)).toBe(true)
    await running.settled()
    expect(heard).toEqual([1, 2])
  })

  test('with a higher priority goes first, then the one that is longer due', async () => {
    const seen: string[] = []
    const first = gate()
    const step = job('step', { name: t.string() }, { concurrency: 1 }, async ({ data }) => {
      if (data.name === 'first') await first.passed
      seen.push(data.name)
    })
    const { store } = await start([step])
    await step.add({ name: 'first' })
    await eventually(() => listJobs(store, { state: 'running' })).toHaveLength(1)
    await step.add({ name: 'low' }, { priority: -1 })
    await step.add({ name: 'normal 1' })
    await step.add({ name: 'normal 2' })
    await step.add({ name: 'high' }, { priority: 5 })
    first.open()
    await eventually(() => seen).toEqual(['first', 'high', 'normal 1', 'normal 2', 'low'])
  })

  test('for later is begun when its time has come', async () => {
    const clock = testClock()
    const seen: number[] = []
    const later = job('later', { n: t.int() }, ({ data }) => seen.push(data.n))
    await start([later], { clock })
    await later.add({ n: 1 }, { at: '1h', priority: 9 })
    await later.add({ n: 2 }, { at: new Date(clock.now() + 60_000) })
    const now = await later.add({ n: 3 })
    await later.waitFor(now)
    clock.advance('2m')
    await eventually(() => seen).toEqual([3, 2])
    clock.advance('1h')
    await eventually(() => seen).toEqual([3, 2, 1])
  })

  test('that fails is tried again after its backoff, then it is dead, and tried again by hand', async () => {
    const clock = testClock()
    let broken = true
    const tries: number[] = []
    const flaky = job('flaky', {}, { attempts: 2, backoff: { first: '1h' } }, ({ attempt }) => {
      tries.push(attempt)
      if (broken) throw new Error(`no ${attempt}`)
      return 'yes'
    })
    const { store } = await start([flaky], { clock })
    const id = await flaky.add({})
    await eventually(() => flaky.status(id)).toMatchObject({ state: 'waiting', attempt: 1, error: { message: 'no 1' } })
    clock.advance('1h')
    await expect(flaky.waitFor(id)).rejects.toMatchObject({
      code: 'JOB_FAILED',
      message: expect.stringContaining('no 2'),
    })
    expect(tries).toEqual([1, 2])
    expect(await countJobs(store, new Date(clock.now()))).toMatchObject([{ name: 'flaky', dead: 1, ready: 0 }])
    broken = false
    expect(await retryJob(store, new Date(clock.now()), id)).toBe('again')
    expect(await flaky.waitFor(id)).toBe('yes')
  })

  test('whose error says that trying again makes no sense is dead at once', async () => {
    const hopeless = job('hopeless', {}, () => {
      throw Object.assign(new Error('gone'), { retryable: false })
    })
    await start([hopeless])
    const id = await hopeless.add({})
    await expect(hopeless.waitFor(id)).rejects.toMatchObject({ code: 'JOB_FAILED' })
    expect(await hopeless.status(id)).toMatchObject({ state: 'dead', attempt: 1, data: {} })
  })

  test('that takes too long is told so and fails', async () => {
    let reason: unknown
    const slow = job('slow', {}, { timeout: 30, attempts: 1 }, ({ signal }) => {
      signal.addEventListener('abort', () => {
        reason = signal.reason
      })
      return new Promise<void>(() => undefined)
    })
    await start([slow])
    await expect(slow.waitFor(await slow.add({}))).rejects.toMatchObject({ code: 'JOB_FAILED' })
    expect(reason).toMatchObject({ code: 'HANDLER_TIMEOUT' })
  })

  test('that waits is removed by cancel, one at work is aborted', async () => {
    const aborted: unknown[] = []
    const begun = gate()
    const work = job(
      'work',
      {},
      { concurrency: 1 },
      ({ signal }) =>
        new Promise<void>((_, reject) => {
          begun.open()
          signal.addEventListener('abort', () => {
            aborted.push(signal.reason)
            reject(signal.reason)
          })
        }),
    )
    await start([work])
    const running = await work.add({})
    await begun.passed
    const waiting = await work.add({}, { at: '1h' })
    expect(await work.cancel(waiting)).toBe('removed')
    expect(await work.cancel(running)).toBe('aborted')
    for (const id of [waiting, running]) await expect(work.waitFor(id)).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
    expect(aborted).toMatchObject([{ code: 'JOB_CANCELLED' }])
    expect(await work.cancel(running)).toBeUndefined()
  })

  test('says how far it is', async () => {
    const finish = gate()
    const walk = job('walk', {}, async ({ progress }) => {
      progress({ done: 3, of: 7 })
      await finish.passed
    })
    await start([walk])
    const id = await walk.add({})
    await expect
      .poll(() => walk.status(id), { timeout: 5000 })
      .toMatchObject({
        state: 'running',
        progress: { done: 3, of: 7 },
      })
    finish.open()
    await walk.waitFor(id)
  })

  test('with a unique key is added once while it waits or is at work, and for a time after', async () => {
    const clock = testClock()
    const finish = gate()
    const sync = job(
      'sync',
      { user: t.string() },
      { unique: ({ user }) => user, uniqueFor: '10m' },
      () => finish.passed,
    )
    const running = await start([sync], { clock })
    const ids = await Promise.all(Array.from({ length: 20 }, () => sync.add({ user: 'ann' })))
    expect(new Set(ids).size).toBe(1)
    expect(await sync.addMany([{ user: 'ann' }, { user: 'bob' }, { user: 'bob' }])).toEqual([
      ids[0],
      expect.not.stringMatching(ids[0] as string),
      expect.any(String),
    ])
    const [id = ''] = ids
    await eventually(() => sync.status(id)).toMatchObject({ state: 'running' })
    expect(await sync.add({ user: 'ann' })).toBe(id)
    finish.open()
    await sync.waitFor(id)
    expect(await sync.add({ user: 'ann' })).toBe(id)
    clock.advance('11m')
    const next = await sync.add({ user: 'ann' })
    expect(next).not.toBe(id)
    await sync.waitFor(next)
    clock.advance('11m')
    await expect.poll(() => running.sql`select 1 from millrace.job_keys`, { timeout: 10_000 }).toEqual([])
  })

  test('is handed back when the app stops, without counting as a try', async () => {
    const begun = gate()
    const long = job('long', {}, ({ signal }) => {
      begun.open()
      return new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    const watcher = await start([])
    const worker = await testApp(app('works', [long]), { url: watcher.databaseUrl })
    const id = await long.add({})
    await begun.passed
    await worker.stop()
    const [left] = await listJobs(watcher.store)
    expect(left).toMatchObject({ id, state: 'waiting', attempt: 0 })
  })

  test('leaves nothing behind but its result, and that for its time only', async () => {
    const clock = testClock()
    const kept = job('kept', {}, { retention: '10m' }, () => 1)
    const gone = job('gone', {}, { retention: 0 }, () => 1)
    const { sql } = await start([kept, gone], { clock })
    await kept.waitFor(await kept.add({}))
    await gone.add({})
    await eventually(() => sql`select 1 from millrace.jobs union all select 1 from millrace.job_runs`).toEqual([])
    expect(await sql`select queue from millrace.finished_jobs`).toEqual([{ queue: 'kept' }])
    clock.advance('11m')
    await expect.poll(() => sql`select 1 from millrace.finished_jobs`, { timeout: 10_000 }).toEqual([])
  })

  test('a thousand are done, each once, by two processes', async () => {
    const seen: number[] = []
    const count = job('count', { n: t.int() }, ({ data }) => seen.push(data.n))
    const first = await start([count])
    await start([count], { url: first.databaseUrl })
    await first.within(() => count.addMany(Array.from({ length: 3000 }, (_, n) => ({ n }))))
    await expect.poll(() => seen.length, { timeout: 20_000 }).toBe(3000)
    await eventually(() => first.sql`select 1 from millrace.job_runs`).toEqual([])
    expect(new Set(seen).size).toBe(3000)
  })
})

test('an old snapshot that is held does not slow the work down, and nothing behind is forgotten', async () => {
  let done = 0
  const quick = job('quick', { n: t.int() }, { retention: 0 }, () => {
    done += 1
  })
  const running = await start([quick])
  const client = new pg.Client(running.databaseUrl)
  await client.connect()
  await client.query('begin isolation level repeatable read')
  await client.query('select pg_current_snapshot()')
  const count = 20_000
  for (let i = 0; i < count; i += 1000) await quick.addMany(Array.from({ length: 1000 }, (_, n) => ({ n })))
  await quick.addMany([{ n: 1 }], { priority: 3 })
  await running.sql`insert into millrace.jobs (id, queue, priority, run_at, data, added_at)
    values (gen_random_uuid(), 'quick', -7, now() - interval '1 day', '{"n":1}', now())`
  await expect.poll(() => done, { timeout: 30_000 }).toBe(count + 2)
  await client.end()
})
