import { Queue, Worker } from 'bullmq'
import type { Contender, Handle } from './contender.ts'

/** On a Redis that syncs to disk once a second: less than those on Postgres promise. */
export async function bullmq(port: number, handle: Handle): Promise<Contender> {
  const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null }
  const options = { removeOnComplete: true, removeOnFail: true }
  const queue = new Queue('bench', { connection, defaultJobOptions: options })
  const worker = new Worker('bench', async (job) => handle(job.data), { connection, concurrency: 100 })
  await worker.waitUntilReady()
  return {
    name: 'bullmq',
    send: (payloads) => queue.addBulk(payloads.map((data) => ({ name: 'bench', data }))),
    async close() {
      await worker.close()
      await queue.close()
    },
  }
}
