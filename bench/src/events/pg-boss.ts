import PgBoss from 'pg-boss'
import type { Contender, Handle, Payload } from './contender.ts'

const workers = 4

export async function pgBoss(url: string, handle: Handle): Promise<Contender> {
  const boss = new PgBoss({ connectionString: url, max: 12 })
  boss.on('error', (error) => process.stderr.write(`pg-boss: ${error.message}\n`))
  await boss.start()
  await boss.createQueue('bench')
  for (let i = 0; i < workers; i += 1) {
    // Half a second is the least it allows; batches make up for it.
    await boss.work<Payload>('bench', { batchSize: 500, pollingIntervalSeconds: 0.5 }, async (jobs) => {
      for (const job of jobs) handle(job.data)
    })
  }
  return {
    name: 'pg-boss',
    send: (payloads) => boss.insert(payloads.map((data) => ({ name: 'bench', data }))),
    close: () => boss.stop({ graceful: false }),
  }
}
