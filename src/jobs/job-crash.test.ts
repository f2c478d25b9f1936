import { afterEach, expect, test } from 'vitest'
import { deadly, jobsApp, work } from '../../test/support/jobs-app.ts'
import { type JobsProcess, startJobsProcess } from '../../test/support/jobs-process.ts'
import { until } from '../../test/support/until.ts'
import { app } from '../platform/app-definition.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import { testDatabase } from '../testing/test-postgres.ts'
import { findJob, listJobs } from './list-jobs.ts'

let processes: JobsProcess[] = []
let apps: TestApp[] = []
afterEach(async () => {
  for (const each of processes) each.kill()
  await Promise.all(processes.map(({ ended }) => ended))
  for (const each of apps.reverse()) await each.stop()
  processes = []
  apps = []
})
async function startProcess(url: string): Promise<JobsProcess> {
  const started = startJobsProcess(url)
  processes.push(started)
  await started.ready
  return started
}

test('the jobs of a process that was killed are done by another within seconds, their effects once', async () => {
  // The watcher works on nothing: it sees, adds, and takes care of the time.
  const watcher = await testApp(app('jobs', { work }, { setup: jobsApp.setup as never }))
  await watcher.stop()
  const database = await testDatabase()
  const victim = await startProcess(database.url)
  const survivor = await testApp(jobsApp, { url: database.url })
  apps.push(survivor)
  const ids = await work.addMany(Array.from({ length: 60 }, (_, n) => ({ n, ms: 300 })))
  await until('the victim is at work', async () => {
    const rows = await survivor.sql<{ owner: string }>`select distinct owner from millrace.job_runs`
    return rows.length === 2
  })
  victim.kill()
  const since = performance.now()
  for (const id of ids) await work.waitFor(id, { timeout: '20s' })
  const tookMs = performance.now() - since
  process.stderr.write(`jobs taken over and done ${Math.round(tookMs)} ms after kill -9\n`)
  expect(tookMs).toBeLessThan(10_000)
  const rows = await survivor.sql<{ n: number; attempt: number }>`select n, attempt from effects order by n`
  expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: 60 }, (_, n) => n))
  expect(rows.some(({ attempt }) => attempt === 2)).toBe(true)
  expect(await survivor.sql`select 1 from millrace.job_runs`).toEqual([])
  await survivor.stop()
  apps = []
  await database.drop()
})

test('kill -9 again and again: every job is done, every effect is there once', async () => {
  const database = await testDatabase()
  const base = await testApp(app('jobs', [], { setup: jobsApp.setup as never }), { url: database.url })
  apps.push(base)
  const count = 400
  let ids: string[] = []
  for (let round = 0; round < 3; round += 1) {
    const child = await startProcess(database.url)
    if (round === 0) {
      const adder = await testApp(jobsApp, { url: database.url })
      ids = await adder.within(() => work.addMany(Array.from({ length: count }, (_, n) => ({ n, ms: n % 7 }))))
      await adder.stop()
    }
    await until('some are done', async () => {
      const [row] = await base.sql<{ n: number }>`select count(*)::int as n from effects`
      return (row?.n ?? 0) > round * 60
    })
    child.kill()
    await child.ended
  }
  await startProcess(database.url)
  await until(
    'all are done',
    async () => (await base.sql`select 1 from millrace.finished_jobs where state = 'done'`).length === count,
    30_000,
  )
  const rows = await base.sql<{ job: string; n: number }>`select job, n from effects order by n`
  expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: count }, (_, n) => n))
  expect(new Set(rows.map(({ job }) => job))).toEqual(new Set(ids))
  for (const each of processes) each.kill()
  await Promise.all(processes.map(({ ended }) => ended))
  await base.stop()
  apps = []
  await database.drop()
})

test('a job that kills its processes is dead after its tries; others are not held up', async () => {
  const database = await testDatabase()
  const base = await testApp(app('jobs', [], { setup: jobsApp.setup as never }), { url: database.url })
  apps.push(base)
  const adder = await testApp(app('jobs', { work }), { url: database.url })
  await adder.stop()
  await base.sql`insert into millrace.jobs (id, queue, priority, run_at, data, added_at)
    values (gen_random_uuid(), 'deadly', 0, now(), '{}', now())`
  const [{ id } = { id: '' }] = await listJobs(base.store)
  let deaths = 0
  while ((await findJob(base.store, id))?.state !== 'dead') {
    const child = startJobsProcess(database.url)
    processes.push(child)
    const over = child.ended.then(() => true)
    while (!(await Promise.race([over, new Promise<false>((resolve) => setTimeout(() => resolve(false), 50))]))) {
      if ((await findJob(base.store, id))?.state === 'dead') child.kill()
    }
    deaths += 1
    expect(deaths).toBeLessThan(5)
  }
  expect(await findJob(base.store, id)).toMatchObject({ state: 'dead', error: { code: 'JOB_FAILED' } })
  expect(deadly.options.attempts).toBe(2)
  await base.stop()
  apps = []
  await database.drop()
})
