import { describeLoad, startLoad, watchWindows, windowSeconds } from '../load.ts'
import { atRate, saturate } from '../pace.ts'
import { openBenchPostgres } from '../postgres.ts'
import { openBenchRedis } from '../redis.ts'
import { type Figures, quantile, type Report, report, round, say } from '../report.ts'
import { appends, emmettAppender, millraceAppender } from './appends.ts'
import { bullmq } from './bullmq.ts'
import { type Contender, type Handle, payload } from './contender.ts'
import { graphileWorker } from './graphile-worker.ts'
import { millrace } from './millrace.ts'
import { pgBoss } from './pg-boss.ts'
import { redisStreams } from './redis-streams.ts'

type Open = (handle: Handle) => Promise<Contender>

/** Latency is measured at this rate, or at half of what the system can do where that is less. */
const latencyRate = 5000

/** Publish → store → handle → acknowledge, one system after the other on the same Postgres (or Redis). */
export async function events(seconds: number): Promise<Report> {
  const postgres = await openBenchPostgres()
  const redis = await openBenchRedis()
  try {
    const ours = await measure('millrace', await databaseOf(postgres, 'millrace', millrace), seconds)
    const peers: Report['peers'] = {
      'graphile-worker': await measure(
        'graphile-worker',
        await databaseOf(postgres, 'graphile', graphileWorker),
        seconds,
      ),
      'pg-boss': await measure('pg-boss', await databaseOf(postgres, 'boss', pgBoss), seconds),
      'redis-streams':
        redis === undefined
          ? { skipped: 'redis-server is not installed' }
          : await measure('redis-streams', (handle) => redisStreams(redis.port, handle), seconds),
      bullmq:
        redis === undefined
          ? { skipped: 'redis-server is not installed' }
          : await measure('bullmq', (handle) => bullmq(redis.port, handle), seconds),
    }
    const short = Math.min(seconds, 10)
    const opener = async (name: string, open: typeof millraceAppender) => {
      const url = await postgres.database(name)
      return () => open(url)
    }
    Object.assign(ours, await appends('millrace', await opener('appends', millraceAppender), short))
    peers['emmett'] = await appends('emmett', await opener('emmett', emmettAppender), short)
    return report('events', ours, peers)
  } finally {
    await redis?.close()
    await postgres.close()
  }
}

async function databaseOf(
  postgres: { database(name: string): Promise<string> },
  name: string,
  open: (url: string, handle: Handle) => Promise<Contender>,
): Promise<Open> {
  const url = await postgres.database(name)
  return (handle) => open(url, handle)
}

async function measure(name: string, open: Open, seconds: number): Promise<Figures> {
  let handled = 0
  let latencies: number[] = []
  const contender = await open((data) => {
    handled += 1
    latencies.push(performance.now() - data.at)
  })
  try {
    const send = (count: number): Promise<unknown> => contender.send(Array.from({ length: count }, payload))
    await saturate({ seconds: 1, ahead: 2000, batch: 500, send, handled: () => handled }) // warm
    const load = startLoad()
    const windows = watchWindows(() => handled)
    const endToEnd = await saturate({ seconds, ahead: 5000, batch: 500, send, handled: () => handled })
    const used = load()
    const perWindow = windows()
    say(`${name}: ${Math.round(endToEnd)} events/s end to end; ${describeLoad(used)}`)
    if (perWindow.length > 2) say(`${name}: per ${windowSeconds} s ${perWindow.map(Math.round).join(' ')} events/s`)

    const rate = Math.floor(Math.min(latencyRate, endToEnd / 2))
    latencies = []
    const publishMs: number[] = []
    const before = handled
    await atRate(rate, Math.min(seconds, 10), async () => {
      const startedAt = performance.now()
      await contender.send([payload()])
      publishMs.push(performance.now() - startedAt)
    })
    while (handled - before < publishMs.length) await new Promise((resolve) => setTimeout(resolve, 5))
    const figures = {
      end_to_end_per_s: round(endToEnd),
      ...(perWindow.length > 2 ? { slowest_window_per_s: round(Math.min(...perWindow)) } : {}),
      latency_rate_per_s: rate,
      publish_p95_ms: quantile(publishMs, 0.95),
      handle_p95_ms: quantile(latencies, 0.95),
    }
    say(
      `${name}: at ${rate}/s publish p95 ${figures.publish_p95_ms} ms, publish to handler p95 ${figures.handle_p95_ms} ms`,
    )
    return figures
  } finally {
    await contender.close()
  }
}
