import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { uuidv7 } from '../kernel/ids.ts'
import { silentLogger } from '../kernel/logger.ts'
import { openStore, type Store } from '../store/store.ts'
import { type TestDatabase, testDatabase } from '../testing/test-postgres.ts'
import { append } from './append.ts'
import { readAt, readBounds, readLog } from './read.ts'
import type { LogRecord, NewRecord } from './record.ts'
import { selectTypes } from './selection.ts'
import { tick } from './sequence.ts'

let database: TestDatabase
let store: Store

beforeAll(async () => {
  database = await testDatabase()
  store = openStore({ url: database.url, connections: 16, logger: silentLogger, applicationName: 'sequence test' })
  await store.sql`create table streams (name text primary key, version int not null default 0)`
  await store.sql`insert into streams select 's' || i from generate_series(0, 4) i`
})

afterAll(async () => {
  await store.close()
  await database.drop()
})

const streams = fc.integer({ min: 0, max: 4 })
/** What one transaction does, step by step; steps of several transactions run side by side. */
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      stream: streams,
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('savepoint' as const), stream: streams, keep: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('xid' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('tick' as const) }) },
)
const transaction = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 4 }),
  commit: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
})
const history = fc.array(fc.array(transaction, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 6 })

test('positions are contiguous, every committed event has one, streams keep their order, nobody waits for an idle transaction', async () => {
  // Open for the whole run, with an id and an event of its own: it must delay nobody.
  const idle = new pg.Client(database.url)
  await idle.connect()
  await idle.query('begin')
  await append(idle, [record('idle', 'idle', 0)])

  await fc.assert(
    fc.asyncProperty(history, async (writers) => {
      const before = (await readBounds(store)).head
      const committed = (await Promise.all(writers.map(write))).flat()
      await Promise.all([tick(store), tick(store), tick(store)])
      const records = await readAll(before)

      expect(records.map(({ position }) => position)).toEqual(committed.map((_, i) => before + 1 + i))
      expect(records.map(({ id }) => id).sort()).toEqual(committed.map(({ id }) => id).sort())
      expectStreamOrder(records)
      await expectSameInPieces(records, before)
    }),
    { numRuns: 40 },
  )

  const head = (await readBounds(store)).head
  await idle.query('commit')
  await idle.end()
  await tick(store)
  expect((await readAt(store, head + 1))?.type).toBe('idle')
  expect((await readBounds(store)).head).toBe(head + 1)
}, 60_000)

test('a transaction of thousands is cut into pieces that read as one', async () => {
  const before = (await readBounds(store)).head
  const many = Array.from({ length: 4500 }, (_, i) => record('giant', 'g', i))
  await store.transaction(async (tx) => append(tx.client, many))
  await tick(store)
  const [ticks] = await store.sql<{ count: number }>`select count(*) from millrace.ticks where base >= ${before}`
  expect(ticks?.count).toBe(3)
  expect((await readAll(before)).map(({ id }) => id)).toEqual(many.map(({ id }) => id))
})

test('a late transaction with low ordinals is placed after what was read already', async () => {
  const late = new pg.Client(database.url)
  await late.connect()
  await late.query('begin')
  await append(late, [record('late', 'late', 1)])
  await store.withClient((client) => append(client, [record('early', 'early', 1)]))
  await tick(store)
  const head = (await readBounds(store)).head
  expect((await readAt(store, head))?.type).toBe('early')
  await late.query('commit')
  await late.end()
  await tick(store)
  expect((await readAt(store, head + 1))?.type).toBe('late')
})

test('a tick that finds nothing writes nothing', async () => {
  await tick(store)
  const [before] = await store.sql<{ rows: number }>`select count(*) as rows from millrace.ticks`
  expect(await tick(store)).toBeUndefined()
  expect(await store.sql`select count(*) as rows from millrace.ticks`).toEqual([before])
})

/** Runs the transactions of one connection; returns what they committed. */
async function write(
  transactions: readonly (typeof transaction extends fc.Arbitrary<infer T> ? T : never)[],
): Promise<NewRecord[]> {
  const committed: NewRecord[] = []
  await store.withClient(async (client) => {
    for (const { steps, commit } of transactions) {
      const written: NewRecord[] = []
      await client.query('begin')
      // Locks are always taken in the same order, so that writers wait for each other but never for ever.
      const ordered = [...steps].sort((a, b) => ('stream' in a ? a.stream : -1) - ('stream' in b ? b.stream : -1))
      for (const each of ordered) {
        if (each.do === 'tick') await tick(store)
        else if (each.do === 'xid') await client.query('select pg_current_xact_id()')
        else if (each.do === 'append') written.push(...(await appendTo(client, each.stream, each.count)))
        else {
          await client.query('savepoint s')
          const tried = await appendTo(client, each.stream, 1)
          if (each.keep) written.push(...tried)
          else await client.query('rollback to savepoint s')
        }
      }
      await client.query(commit ? 'commit' : 'rollback')
      if (commit) committed.push(...written)
    }
  })
  return committed
}

/** As an event store does it: the row of the stream is locked, then the events are written. */
async function appendTo(client: pg.ClientBase, stream: number, count: number): Promise<NewRecord[]> {
  const { rows } = await client.query<{ version: number }>(
    'update streams set version = version + $2 where name = $1 returning version',
    [`s${stream}`, count],
  )
  const last = rows[0]?.version ?? 0
  const records = Array.from({ length: count }, (_, i) => record('written', `s${stream}`, last - count + 1 + i))
  await append(client, records)
  return records
}

function record(type: string, key: string, version: number): NewRecord {
  return { id: uuidv7(), type, version: 1, key, data: JSON.stringify({ version }), meta: null }
}

async function readAll(after: number): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  for (let at = after; ; ) {
    const stretch = await readLog(store, { after: at, span: 500 })
    if (stretch.through === at) return records
    records.push(...stretch.records)
    at = stretch.through
  }
}

function expectStreamOrder(records: readonly LogRecord[]): void {
  const seen = new Map<string | null, number>()
  for (const { key, data } of records) {
    const { version } = JSON.parse(data) as { version: number }
    expect(version).toBeGreaterThan(seen.get(key) ?? 0)
    seen.set(key, version)
  }
}

/** However the log is cut, by span or by type, it reads the same. */
async function expectSameInPieces(records: readonly LogRecord[], after: number): Promise<void> {
  const pieces: LogRecord[] = []
  for (let at = after; ; ) {
    const { records: some, through } = await readLog(store, { after: at, span: 3, only: selectTypes(['written']) })
    pieces.push(...some)
    if (through === at) break
    at = through
  }
  expect(pieces).toEqual(records.filter(({ type }) => type === 'written'))
}
