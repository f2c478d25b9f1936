import { app, index, on, type RunningApp, startApp, t, table } from 'millrace'
import { atRate } from '../pace.ts'
import { openBenchPostgres } from '../postgres.ts'
import { type Figures, quantile, type Report, report, round, say } from '../report.ts'
import { decodeRate } from './decode.ts'

const snapshotRows = 200_000
const changeRate = 1000

const items = table(
  'items',
  { id: t.int(), name: t.string(), price: t.int(), note: t.nullable(t.string()) },
  { key: 'id' },
)

/** Row commit → log → consumer, and → search index, on one Postgres; no peer of ours runs without a broker beside it. */
export async function changes(seconds: number): Promise<Report> {
  const postgres = await openBenchPostgres()
  try {
    const url = await postgres.database('changes')
    let handled = 0
    const seen = on('seen', items, { start: 'beginning' }, () => {
      handled += 1
    })
    const found = index('items', { from: items, document: ({ id, note, ...shown }) => shown, search: ['name'] })
    const definition = app('bench', { items, seen, found }, { setup: ({ sql }) => fill(sql) })
    const startedAt = performance.now()
    const running = await startApp(definition, { location: { kind: 'url', url } })
    try {
      const metrics: Figures = {
        snapshot_per_s: round(await snapshotRate(running, startedAt)),
        decode_per_s: round(decodeRate(Math.min(seconds, 5))),
      }
      say(`snapshot ${metrics['snapshot_per_s']} rows/s, decoding ${metrics['decode_per_s']} changes/s`)
      await until(() => handled >= snapshotRows, 120_000)
      await running.settled(120_000)
      metrics['log_per_s'] = round(await logRate(running, seconds))
      say(`capture into the log ${metrics['log_per_s']} changes/s`)
      await running.settled(120_000)
      Object.assign(metrics, await latencies(running, Math.min(seconds, 10)))
      say(
        `at ${changeRate}/s: commit to handled p95 ${metrics['handle_p95_ms']} ms, to searchable p95 ${metrics['searchable_p95_ms']} ms`,
      )
      return report('changes', metrics, {})
    } finally {
      await running.stop()
    }
  } finally {
    await postgres.close()
  }
}

async function fill(sql: RunningApp['sql']): Promise<void> {
  await sql.query(
    `insert into items select i, 'item number ' || i, i % 1000, null from generate_series(1, ${snapshotRows}) i`,
  )
}

/** Rows per second of the initial copy, as it stands in the log. */
async function snapshotRate(app: RunningApp, startedAt: number): Promise<number> {
  for (;;) {
    const [row] = await app.sql<{ state: string }>`select state from millrace.captured_tables where name like '%items'`
    if (row?.state === 'done') break
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const [took] = await app.sql<{ ms: number }>`
    select extract(epoch from max(c.updated_at) - min(e.at))::float8 * 1000 as ms from millrace.events e, millrace.captured_tables c where e.type = 'change:items'`
  const ms = took === undefined || took.ms <= 0 ? performance.now() - startedAt : took.ms
  return snapshotRows / (ms / 1000)
}

/** Many short transactions at once, then how long until all of them are in the log. */
async function logRate(app: RunningApp, seconds: number): Promise<number> {
  const perStatement = 100
  const [before] = await app.sql<{ count: number }>`select count(*) as count from millrace.events`
  const startedAt = performance.now()
  let changed = 0
  const writer = async (lane: number): Promise<void> => {
    for (let i = 0; performance.now() - startedAt < (seconds * 1000) / 2; i += 1) {
      const first = ((lane * 50_000 + i * perStatement) % (snapshotRows - perStatement)) + 1
      await app.sql`update items set price = price + 1 where id between ${first} and ${first + perStatement - 1}`
      changed += perStatement
    }
  }
  await Promise.all([writer(0), writer(1)])
  for (;;) {
    const [now] = await app.sql<{ count: number }>`select count(*) as count from millrace.events`
    if ((now?.count ?? 0) - (before?.count ?? 0) >= changed) break
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return changed / ((performance.now() - startedAt) / 1000)
}

async function latencies(app: RunningApp, seconds: number): Promise<Figures> {
  const [mark] = await app.sql<{ head: number }>`select head from millrace.sequencer`
  await atRate(
    changeRate,
    seconds,
    () => app.sql`update items set price = price + 1 where id = ${1 + Math.floor(Math.random() * snapshotRows)}`,
  )
  await app.settled(60_000)
  const after = async (follower: string): Promise<number[]> => {
    const rows = await app.sql<{ ms: number }>`
      with changes as (
        select tk.base + row_number() over (partition by tk.base order by e.ordinal) as position, (e.meta->>'committedAt')::timestamptz as committed
          from millrace.ticks tk join millrace.events e on e.ordinal between tk.lo and tk.hi where tk.base >= ${mark?.head ?? 0})
      select extract(epoch from p.done_at - c.committed)::float8 * 1000 as ms
        from changes c join millrace.passages p on p.follower = ${follower} and c.position between p.first and p.last`
    return rows.map(({ ms }) => ms)
  }
  return {
    change_rate_per_s: changeRate,
    handle_p95_ms: quantile(await after('seen'), 0.95),
    searchable_p95_ms: quantile(await after('index:items'), 0.95),
  }
}

async function until(done: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!done()) {
    if (performance.now() > deadline) throw new Error('the followers did not catch up')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
