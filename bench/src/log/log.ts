import { app, event, on, type RunningApp, startApp, t } from 'millrace'
import pg from 'pg'
import { type Payload, payload } from '../events/contender.ts'
import { saturate } from '../pace.ts'
import { type BenchPostgres, openBenchPostgres } from '../postgres.ts'
import { type Figures, type Report, report, round, say } from '../report.ts'

const million = 1_000_000
/** Each pair of runs is repeated, and taken in turns: what else goes on in the machine meets both. */
const rounds = 3

/** What history, idle transactions, slow consumers and backlogs do to the log: each as a ratio, both sides in one run. */
export async function log(seconds: number, { millions, idleSeconds }: LogOptions): Promise<Report> {
  const postgres = await openBenchPostgres()
  try {
    const figures: Figures = {}
    Object.assign(figures, await bigLog(postgres, seconds, millions))
    Object.assign(figures, await idleTransaction(postgres, Math.max(seconds, idleSeconds / rounds)))
    Object.assign(figures, await slowConsumer(postgres, seconds))
    Object.assign(figures, await backlog(postgres))
    return report('log', figures, {})
  } finally {
    await postgres.close()
  }
}

export interface LogOptions {
  /** Events in the big log. */
  millions: number
  /** How long the idle transaction is open in all. */
  idleSeconds: number
}

const placed = event(
  'order.placed',
  { order: t.string(), customer: t.int(), amount: t.int(), currency: t.string(), at: t.number() },
  { key: 'order' },
)

interface Bench {
  running: RunningApp
  /** Events per second through the whole path. */
  run(seconds: number): Promise<number>
}

/** The usual app of one event and one consumer, and more consumers where asked. */
async function open(url: string, more: Parameters<typeof app>[1] = []): Promise<Bench> {
  let handled = 0
  const count = on('count', placed, () => {
    handled += 1
  })
  const parts = [placed, count, ...(Array.isArray(more) ? more : Object.values(more))]
  const running = await startApp(app('bench', parts), { location: { kind: 'url', url } })
  const send = (n: number) => running.within(() => Promise.all(Array.from({ length: n }, () => publish(running))))
  const run = (seconds: number) => saturate({ seconds, ahead: 5000, batch: 500, send, handled: () => handled })
  await run(1) // warm
  return { running, run }
}

const publish = (running: RunningApp) => running.publish(placed, payload() satisfies Payload)

/** Runs both in turns and says how `changed` compares with `usual`. */
async function compare(name: string, seconds: number, usual: () => Promise<number>, changed: () => Promise<number>) {
  const [before, after]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round += 1) {
    before.push(await usual())
    after.push(await changed())
  }
  const ratio = median(after) / median(before)
  const rates = `${Math.round(median(after))} instead of ${Math.round(median(before))} events/s`
  say(`${name}: ${ratio.toFixed(2)} of the usual (${rates}, median of ${rounds} runs of ${seconds} s each)`)
  return ratio
}

/** The head of a log with a long history beside that of an empty one. */
async function bigLog(postgres: BenchPostgres, seconds: number, millions: number): Promise<Figures> {
  const [small, big] = [await postgres.database('small'), await postgres.database('big')]
  const first = await open(small)
  const second = await open(big)
  const client = new pg.Client(big)
  await client.connect()
  const chunk = million / 2
  const startedAt = performance.now()
  for (let made = 0; made < millions * million; made += chunk) {
    await client.query(
      `insert into millrace.events (id, type, version, key, data)
       select gen_random_uuid(), 'history', 1, 'k' || i % 1000, json_build_object('n', i, 'text', repeat('x', 80)) from generate_series(1, ${chunk}) i`,
    )
    await client.query('select millrace.tick(2000)')
    say(`a log of ${(made + chunk) / million} million events, ${Math.round((performance.now() - startedAt) / 1000)} s`)
  }
  await client.query('vacuum analyze')
  await client.end()
  await second.running.settled(120_000)
  const ratio = await compare(
    `head of a log of ${millions} million`,
    seconds,
    () => first.run(seconds),
    () => second.run(seconds),
  )
  await first.running.stop()
  await second.running.stop()
  return { big_log_ratio: round(ratio), big_log_millions: millions }
}

/** A session that wrote an event and stays in its transaction, with a snapshot of its own. */
async function idleTransaction(postgres: BenchPostgres, seconds: number): Promise<Figures> {
  const url = await postgres.database('idle')
  const bench = await open(url)
  const client = new pg.Client(url)
  await client.connect()
  const ratio = await compare(
    'with an idle transaction',
    Math.round(seconds),
    () => bench.run(seconds),
    async () => {
      await client.query('begin isolation level repeatable read')
      await client.query(
        `insert into millrace.events (id, type, version, data) values (gen_random_uuid(), 'idle', 1, '{}')`,
      )
      try {
        return await bench.run(seconds)
      } finally {
        await client.query('rollback')
      }
    },
  )
  await client.end()
  await bench.running.stop()
  return { idle_transaction_ratio: round(ratio) }
}

/** A consumer that takes 5 ms an event beside the usual one. */
async function slowConsumer(postgres: BenchPostgres, seconds: number): Promise<Figures> {
  const slow = on('slow', placed, () => new Promise((resolve) => setTimeout(resolve, 5)))
  const alone = await open(await postgres.database('alone'))
  const beside = await open(await postgres.database('beside'), [slow])
  const ratio = await compare(
    'beside a slow consumer',
    seconds,
    () => alone.run(seconds),
    () => beside.run(seconds),
  )
  await alone.running.stop()
  await beside.running.stop()
  return { slow_consumer_ratio: round(ratio) }
}

/** Memory of the process while a consumer works off a million events that waited. */
async function backlog(postgres: BenchPostgres): Promise<Figures> {
  const url = await postgres.database('backlog')
  let handled = 0
  const late = on('late', placed, { start: 'beginning' }, () => {
    handled += 1
  })
  const writer = await startApp(app('bench', [placed]), { location: { kind: 'url', url } })
  for (let made = 0; made < million; made += 5000)
    await Promise.all(Array.from({ length: 5000 }, () => publish(writer)))
  await writer.stop()
  const before = process.memoryUsage()
  let [rss, heap] = [0, 0]
  const watching = setInterval(() => {
    const now = process.memoryUsage()
    rss = Math.max(rss, now.rss)
    heap = Math.max(heap, now.heapUsed)
  }, 50)
  const startedAt = performance.now()
  const running = await startApp(app('bench', [placed, late]), { location: { kind: 'url', url } })
  while (handled < million) await new Promise((resolve) => setTimeout(resolve, 20))
  const seconds = (performance.now() - startedAt) / 1000
  clearInterval(watching)
  await running.stop()
  const mib = (bytes: number) => Math.round(bytes / 2 ** 20)
  const grown = `heap at most ${mib(heap)} MiB, resident ${mib(rss)} MiB (${mib(before.rss)} before)`
  say(`a backlog of a million: ${Math.round(million / seconds)} events/s, ${grown}`)
  return { backlog_per_s: round(million / seconds), backlog_heap_mib: mib(heap), backlog_rss_mib: mib(rss) }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}
