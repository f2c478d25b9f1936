import { job } from '../../src/jobs/job.ts'
import { t } from '../../src/kernel/schema.ts'
import { type AppDefinition, app } from '../../src/platform/app-definition.ts'

/** Writes one row per job in its transaction, and one per try beside it. */
export const work = job(
  'work',
  { n: t.int(), ms: t.int() },
  { concurrency: 20, timeout: '30s' },
  async ({ data: { n, ms }, attempt, id, sql }) => {
    await sql`insert into effects (job, n, attempt) values (${id}, ${n}, ${attempt})`
    await new Promise((resolve) => setTimeout(resolve, ms))
    return n
  },
)

/** Kills its process. */
export const deadly = job('deadly', {}, { attempts: 2, timeout: '30s' }, () => {
  process.kill(process.pid, 'SIGKILL')
})

export const jobsApp: AppDefinition = app(
  'jobs',
  { work, deadly },
  { setup: ({ sql }) => sql`create table if not exists effects (job uuid, n int, attempt int)` },
)
