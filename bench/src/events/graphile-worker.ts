import { run } from 'graphile-worker'
import pg from 'pg'
import type { Contender, Handle, Payload } from './contender.ts'

const silent = { log() {} } as never

export async function graphileWorker(url: string, handle: Handle): Promise<Contender> {
  const { Logger } = await import('graphile-worker')
  void silent
  const runner = await run({
    connectionString: url,
    concurrency: 24,
    maxPoolSize: 25,
    pollInterval: 100,
    noHandleSignals: true,
    logger: new Logger(() => () => {}),
    taskList: { bench: (data) => handle(data as Payload) },
  })
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  const insert = `select graphile_worker.add_jobs(array(
    select row('bench', p, null, null, null, null, null, null)::graphile_worker.job_spec from unnest($1::json[]) p))`
  return {
    name: 'graphile-worker',
    send: (payloads) => pool.query(insert, [payloads.map((data) => JSON.stringify(data))]),
    async close() {
      await runner.stop()
      await pool.end()
    },
  }
}
