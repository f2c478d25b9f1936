import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { append } from '../events/append.ts'
import { type EventDefinition, event } from '../events/event.ts'
import { newRecord } from '../events/publish.ts'
import { readBounds, readLog } from '../events/read.ts'
import type { LogRecord } from '../events/record.ts'
import { tick } from '../events/sequence.ts'
import { silentLogger } from '../kernel/logger.ts'
import { t } from '../kernel/schema.ts'
import { openStore, type Store } from '../store/store.ts'
import { readStream } from '../streams/read-stream.ts'
import { testDatabase } from '../testing/test-postgres.ts'
import { listArchives, restoreArchive } from './archive.ts'
import { type RetentionOptions, retentionPolicy } from './retention-policy.ts'
import { tidyLog } from './tidy-log.ts'

const size = 1000
const written = event('written', { n: t.int() })
const marker = event('marker', { n: t.int() })
const state = event('state', { n: t.int() }, { key: ({ n }) => `k${n % 10}` })

/** A log whose partitions hold a thousand events each. */
async function smallLog(): Promise<Store> {
  const database = await testDatabase()
  const store = openStore({ url: database.url, connections: 6, logger: silentLogger, applicationName: 'retention' })
  onTestFinished(async () => {
    await store.close()
    await database.drop()
  })
  for (const { parent, lo } of await store.sql<{
    parent: string
    lo: number
  }>`select parent, lo from millrace.partitions`)
    await store.sql.query(`drop table millrace.${parent}_${lo}`)
  await store.sql`delete from millrace.partitions`
  await store.sql`select millrace.make_partitions('events', 0, ${size}, 3), millrace.make_partitions('ticks', 0, ${size}, 3)`
  return store
}

const policy = (options: RetentionOptions) => retentionPolicy('t', { partition: size, ...options })

async function write(store: Store, type: EventDefinition<{ n: number }>, from: number, to: number): Promise<void> {
  const records = Array.from({ length: to - from }, (_, i) => newRecord(type, { n: from + i }))
  await store.withClient((client) => append(client, records))
  await tick(store)
}

async function readAll(store: Store, after = 0): Promise<LogRecord[]> {
  const all: LogRecord[] = []
  for (let at = after; ; ) {
    const { records, through } = await readLog(store, { after: at, span: 300 })
    all.push(...records)
    if (through === at) return all
    at = through
  }
}

/** Twice: that a partition is full counts only once everything that was going on then has its position. */
async function tidy(store: Store, options: RetentionOptions): Promise<void> {
  await tidyLog(store, policy(options), silentLogger)
  await write(store, marker, 0, 1)
  await tidyLog(store, policy(options), silentLogger)
}
const numbers = (records: readonly LogRecord[]) => records.map(({ data }) => (JSON.parse(data) as { n: number }).n)

test('partitions are made ahead, and the log goes on over their borders', async () => {
  const store = await smallLog()
  for (let n = 0; n < 10_000; n += 250) {
    await write(store, written, n, n + 250)
    if (n % 1000 === 0) await tidy(store, {})
  }
  const all = (await readAll(store)).filter(({ type }) => type === 'written')
  expect(numbers(all)).toEqual(Array.from({ length: 10_000 }, (_, n) => n))
  expect(await store.sql`select count(*)::int as n from millrace.partitions where parent = 'events'`).toEqual([
    { n: expect.toSatisfy((n: number) => n >= 13) },
  ])
  const [row] = await store.sql<{ floor: number }>`select floor from millrace.sequencer`
  expect(row?.floor).toBeGreaterThanOrEqual(8000)
})

test('what is old goes in whole partitions; positions stay, and a reader from the beginning goes on behind it', async () => {
  const store = await smallLog()
  for (let n = 0; n < 2500; n += 100) await write(store, written, n, n + 100)
  await tidy(store, { keep: 0 })
  const { tail, head } = await readBounds(store)
  expect(head).toBe(2501)
  // Ordinals begin at 1, and a tick that reaches over the border goes whole.
  expect(tail).toBe(2000)
  const left = await readAll(store)
  expect(left.map(({ position }) => position)).toEqual(Array.from({ length: 501 }, (_, i) => 2001 + i))
  expect(await store.sql`select 1 from millrace.events where ordinal < 2000`).toEqual([])
  await write(store, written, 2500, 2600)
  expect((await readBounds(store)).head).toBe(2601)
})

test('nothing goes before its age, before a consumer has passed it, or while a transaction may still write to it', async () => {
  const store = await smallLog()
  await write(store, written, 0, 10)
  const open = await store.connect()
  await open.query('begin')
  await append(open, [newRecord(written, { n: -1 })])
  for (let n = 10; n < 2500; n += 100) await write(store, written, n, n + 100)
  await tidy(store, { keep: 0 })
  expect((await readBounds(store)).tail).toBe(0)
  await open.query('commit')
  await open.end()
  await write(store, written, 9000, 9001)
  expect(numbers(await readAll(store))).toContain(-1)

  await tidy(store, { keep: '1h' })
  expect((await readBounds(store)).tail).toBe(0)
  await store.sql`insert into millrace.consumers (name, slots) values ('slow', 1)`
  await store.sql`insert into millrace.consumer_slots (consumer, slot, position) values ('slow', 0, 50)`
  await tidy(store, { keep: 0 })
  expect((await readBounds(store)).tail).toBe(0)
  await store.sql`update millrace.consumer_slots set position = 100000`
  await tidy(store, { keep: 0 })
  expect((await readBounds(store)).tail).toBeGreaterThanOrEqual(2000)
})

test('the last event of each key, what is never to go and what is in trouble outlive their partition', async () => {
  const store = await smallLog()
  await store.sql`insert into millrace.consumers (name, slots) values ('c', 1)`
  await store.sql`insert into millrace.deliveries (consumer, position, slot, type, state) values ('c', 7, 0, 'written', 'dead')`
  const precious = event('precious', { n: t.int() })
  await write(store, written, 0, 50)
  await write(store, precious, 50, 53)
  for (let n = 100; n < 2600; n += 100) await write(store, state, n, n + 100)
  await tidy(store, { keep: 0, compact: [state], forever: [precious] })
  const { tail } = await readBounds(store)
  const kept = (await readAll(store)).filter(({ position }) => position <= tail)
  const of = (type: string) => numbers(kept.filter((record) => record.type === type))
  expect(of('written')).toEqual([6])
  expect(of('precious')).toEqual([50, 51, 52])
  const latest = tail - 53 + 100 // an event a position, the first at 54
  expect(of('state')).toEqual(Array.from({ length: 10 }, (_, i) => latest - 10 + i))

  for (let n = 2600; n < 4600; n += 100) await write(store, state, n, n + 100)
  await tidy(store, { keep: 0, compact: [state], forever: [precious] })
  const after = await readBounds(store)
  expect(after.tail).toBeGreaterThan(tail)
  expect(
    (await readAll(store)).filter(({ type, position }) => type === 'state' && position <= after.tail),
  ).toHaveLength(10)
})

test('a partition that is old is closed before it is full; ordinals jump, positions do not', async () => {
  const store = await smallLog()
  await write(store, written, 0, 10)
  await tidy(store, { keep: 0, partitionEvery: 0 }) // the one of the marker, too
  await write(store, written, 10, 20)
  await tidy(store, { keep: 0, partitionEvery: '1h' })
  expect((await readBounds(store)).tail).toBe(11)
  expect((await readAll(store)).map(({ position }) => position)).toEqual(Array.from({ length: 11 }, (_, i) => 12 + i))
})

test('an archive holds what was dropped, and comes back for readers from the beginning', async () => {
  const store = await smallLog()
  const archive = await mkdtemp(join(tmpdir(), 'millrace-archive-'))
  onTestFinished(() => rm(archive, { recursive: true }))
  const original: LogRecord[] = []
  for (let n = 0; n < 2500; n += 100) await write(store, written, n, n + 100)
  await store.sql`update millrace.events set data = '{ "n":
    12345678901234567890 }' where ordinal = 5`
  original.push(...(await readAll(store)))
  await tidy(store, { keep: 0, archive })
  const files = await listArchives(archive)
  expect(files.length).toBeGreaterThan(0)
  expect((await readdir(archive)).filter((name) => name.endsWith('.part'))).toEqual([])
  let restored = 0
  for (const file of files) restored += await restoreArchive(store, archive, file)
  const { tail } = await readBounds(store)
  expect(restored).toBe(tail)
  for (const file of files) expect(await restoreArchive(store, archive, file)).toBe(0)
  const again = await readAll(store)
  expect(again.slice(0, -1).map((r) => ({ ...r, data: r.data.replaceAll(/\s+/g, ' ') }))).toEqual(
    original.map((r) => ({ ...r, data: r.data.replaceAll(/\s+/g, ' ') })),
  )
})

test('events of a stream are read as before when their partition is gone', async () => {
  const store = await smallLog()
  const append = (expected: number) => store.sql`
    select done from millrace.append_to_streams(array['account:a'], array[${expected}::bigint], array[1], array[gen_random_uuid()],
      array['opened'], array[1::smallint], array['{}'::json], array[null::text], false, 0)`
  expect(await append(0)).toEqual([{ done: true }])
  expect(await append(1)).toEqual([{ done: true }])
  const read = () => readStream(store.sql, 'account:a')
  const before = await read()
  expect(before).toHaveLength(2)
  for (let n = 0; n < 2500; n += 100) await write(store, written, n, n + 100)
  await tidy(store, { keep: 0 })
  expect((await readBounds(store)).tail).toBeGreaterThan(1000)
  expect(await store.sql`select 1 from millrace.events where key = 'account:a'`).toEqual([])
  expect(await read()).toEqual(before)
})
