import { expect, test } from 'vitest'
import { captureStage, replay, type Stage } from '../../test/support/capture-stage.ts'
import { table } from '../events/table.ts'
import { t } from '../kernel/schema.ts'

const things = table('things', { id: t.int(), n: t.int() }, { key: 'id' })
const others = table('others', { id: t.int(), n: t.int() }, { key: 'id' })

/** A stage whose slot exists already, with a table that is not declared yet. */
async function beforeJoining(): Promise<Stage> {
  const stage = await captureStage()
  const { sql } = stage.store
  await sql`create table things (id int primary key, n int not null)`
  await sql`create table others (id int primary key, n int not null)`
  await sql`insert into things values (1, 1)`
  const capture = stage.start([others])
  await stage.caughtUp()
  await capture.stop()
  return stage
}

const ops = async (stage: Stage): Promise<string[]> =>
  (await stage.log()).filter(({ type }) => type === things.changeType).map(({ change }) => `${change.op} ${change.key}`)

test('a transaction that wrote before the table joined is waited for, and is in the copy', async () => {
  const stage = await beforeJoining()
  const writer = await stage.store.connect()
  await writer.query('begin')
  await writer.query('insert into things values (2, 2)')
  const capture = stage.start([things, others])
  const [lock] = await joined(stage)
  expect(lock).toBeDefined()
  await stage.until(() => capture.status().state === 'copying', 'the copy waits')
  // Its last write comes after the table joined: a decoder could take it for published, or not.
  await writer.query('insert into things values (3, 3)')
  await stage.store.sql`insert into things values (4, 4)`
  await writer.query('commit')
  await stage.caughtUp()
  expect((await ops(stage)).sort()).toEqual(['snapshot 1', 'snapshot 2', 'snapshot 3', 'snapshot 4'])
  await writer.end()
})

test('open transactions that did not write to the table delay nobody', async () => {
  const stage = await beforeJoining()
  const elsewhere = await stage.store.connect()
  await elsewhere.query('begin')
  await elsewhere.query('insert into others values (1, 1)')
  const reader = await stage.store.connect()
  await reader.query('begin isolation level repeatable read')
  await reader.query('select * from things for share')
  stage.start([things, others])
  await stage.caughtUp()
  expect(await ops(stage)).toEqual(['snapshot 1'])
  await elsewhere.query('commit')
  await stage.caughtUp()
  expect((await stage.log()).map(({ type, key }) => `${type} ${key}`)).toContain('change:others 1')
  await elsewhere.end()
  await reader.end()
})

test('a row written while the table is copied is in the copy or in the stream, once, and never older than it', async () => {
  const stage = await beforeJoining()
  const { sql } = stage.store
  const disarm = stage.faults.arm('sync.snapshot-taken', async () => {
    disarm()
    await sql`insert into things values (2, 2)`
    await sql`update things set n = 11 where id = 1`
  })
  stage.start([things, others])
  await stage.caughtUp()
  const log = (await stage.log()).filter(({ type }) => type === things.changeType)
  expect(log.map(({ change }) => `${change.op} ${change.key}`)).toEqual(['snapshot 1', 'insert 2', 'update 1'])
  const places = log.map(({ meta }) => Number(`0x${meta.lsn.replace('/', '')}`))
  expect([...places].sort((a, b) => a - b)).toEqual(places)
})

test('a table that is emptied while it is copied ends in the log only after it began there', async () => {
  const stage = await beforeJoining()
  const truncating: Promise<unknown>[] = []
  const disarm = stage.faults.arm('sync.snapshot-taken', async () => {
    disarm()
    truncating.push(stage.store.sql`truncate things`)
    await stage.until(async () => {
      const done = await stage.store.sql`
        select from pg_locks where relation = 'things'::regclass and mode = 'AccessExclusiveLock'`
      return done.length > 0
    }, 'the truncation waits for the copy, or is through')
  })
  stage.start([things, others])
  await stage.until(() => truncating.length > 0, 'the snapshot is taken')
  await Promise.all(truncating)
  await stage.caughtUp()
  expect(await ops(stage)).toEqual(['snapshot 1', 'truncate '])
})

test('a crash in the middle of a copy leaves none of it', async () => {
  const stage = await beforeJoining()
  const disarm = stage.faults.arm('sync.table-copied', () => {
    disarm()
    throw new Error('crash')
  })
  stage.start([things, others])
  await stage.caughtUp()
  expect(await ops(stage)).toEqual(['snapshot 1'])
})

test('a large transaction comes in pieces, and after a crash between two goes on with the next', async () => {
  const stage = await beforeJoining()
  const { sql } = stage.store
  const capture = stage.start([things, others], { maxRecords: 100 })
  await stage.caughtUp()
  let batches = 0
  stage.faults.arm('sync.batch-appended', () => {
    batches += 1
    if (batches === 3 || batches === 7) throw new Error('crash')
  })
  await sql`insert into things select n, n from generate_series(2, 20000) n`
  await stage.caughtUp()
  expect(batches).toBeGreaterThan(10)
  expect(capture.status().state).toBe('streaming')
  const log = (await stage.log()).filter(({ type }) => type === things.changeType)
  expect(log.length).toBe(20_000)
  expect(replay(log, things).size).toBe(20_000)
})

/** Resolves when the table is in the publication, with a writer's lock on it still open. */
async function joined({ store, name, until }: Stage): Promise<unknown[]> {
  await until(async () => {
    const found = await store.sql`select from pg_publication_tables where pubname = ${name} and tablename = 'things'`
    return found.length > 0
  }, 'the table joins')
  return store.sql`select from pg_locks where relation = 'things'::regclass and mode = 'RowExclusiveLock'`
}
