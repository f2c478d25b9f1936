import { app, job, startApp, t } from 'millrace'
import pg from 'pg'
import { type Contender, type Handle, payload } from '../events/contender.ts'
import { graphileWorker } from '../events/graphile-worker.ts'
import { pgBoss } from '../events/pg-boss.ts'
import { atRate, saturate } from '../pace.ts'
import { openBenchPostgres } from '../postgres.ts'
import { type Figures, quantile, type Report, report, round, say } from '../report.ts'

/** Latency is measured at this rate, or at half of what the system can do where that is less. */
const latencyRate = 2000

/** Add → claim → handle → done, results kept for an hour; then the same while a session holds an old snapshot. */
export async function jobs(seconds: number): Promise<Report> {
  const postgres = await openBenchPostgres()
  try {
    const ours = await measure('millrace', await postgres.database('jobs'), millraceJobs, seconds)
    const peers: Report['peers'] = {
      'graphile-worker': await measure('graphile-worker', await postgres.database('graphile'), graphileWorker, seconds),
      'pg-boss': await measure('pg-boss', await postgres.database('boss'), pgBoss, seconds),
    }
    return report('jobs', ours, peers)
  } finally {
    await postgres.close()
  }
}

async function millraceJobs(url: string, handle: Handle): Promise<Contender> {
  const fields = { order: t.string(), customer: t.int(), amount: t.int(), currency: t.string(), at: t.number() }
  const work = job('bench', fields, ({ data }) => handle(data))
  const running = await startApp(app('bench', { work }), { location: { kind: 'url', url } })
  return {
    name: 'millrace',
    send: (payloads) => Promise.all(payloads.map((data) => work.add(data))),
    close: () => running.stop(),
  }
}

type Open = (url: string, handle: Handle) => Promise<Contender>

async function measure(name: string, url: string, open: Open, seconds: number): Promise<Figures> {
  let handled = 0
  let latencies: number[] = []
  const contender = await open(url, (data) => {
    handled += 1
    latencies.push(performance.now() - data.at)
  })
  const send = (count: number): Promise<unknown> => contender.send(Array.from({ length: count }, payload))
  const full = (span: number): Promise<number> =>
    saturate({ seconds: span, ahead: 5000, batch: 500, send, handled: () => handled })
  try {
    await full(1) // warm
    const done = await full(seconds)
    say(`${name}: ${Math.round(done)} jobs/s`)
    latencies = []
    const rate = Math.floor(Math.min(latencyRate, done / 2))
    const before = handled
    let sent = 0
    await atRate(rate, Math.min(seconds, 10), () => {
      sent += 1
      return contender.send([payload()])
    })
    const deadline = performance.now() + 30_000
    while (handled - before < sent && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 5))
    const p50 = quantile(latencies, 0.5)
    const p95 = quantile(latencies, 0.95)
    say(`${name}: added → begun p50 ${p50} ms, p95 ${p95} ms at ${rate}/s`)
    const held = await withOldSnapshot(url, () => full(seconds))
    say(`${name}: ${Math.round(held)} jobs/s under an old snapshot`)
    return {
      jobs_per_s: round(done),
      begun_p50_ms: p50,
      begun_p95_ms: p95,
      latency_rate_per_s: rate,
      held_snapshot_per_s: round(held),
    }
  } finally {
    await contender.close()
  }
}

/** A session that is idle in a transaction keeps Postgres from removing dead rows: what kills job queues in practice. */
async function withOldSnapshot<T>(url: string, work: () => Promise<T>): Promise<T> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query('begin isolation level repeatable read')
    await client.query('select pg_current_snapshot()')
    return await work()
  } finally {
    await client.end()
  }
}
