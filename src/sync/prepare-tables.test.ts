import { expect, test } from 'vitest'
import { captureStage } from '../../test/support/capture-stage.ts'
import { table } from '../events/table.ts'
import type { PlatformError } from '../kernel/errors.ts'
import { t } from '../kernel/schema.ts'
import { readLiveTables } from './live-table.ts'
import { prepareTables } from './prepare-tables.ts'

const films = table(
  'films',
  { id: t.int(), title: t.string(), rating: t.nullable(t.number()), seen: t.optional(t.timestamp()) },
  { key: 'id' },
)

test('a table that is missing is made as declared, and then fits', async () => {
  const { store } = await captureStage()
  const shots = table(
    'shop.shots',
    { film: t.int(), no: t.bigint(), at: t.timestamp(), tags: t.array(t.string()) },
    { key: ['film', 'no'] },
  )
  await prepareTables(store, [films, shots])
  const live = await prepareTables(store, [films, shots])
  expect(live.get('films')?.primaryKey).toEqual(['id'])
  expect(
    [...(live.get('films')?.columns ?? [])].map(([name, { typeName, nullable }]) => [name, typeName, nullable]),
  ).toEqual([
    ['id', 'integer', false],
    ['title', 'text', false],
    ['rating', 'double precision', true],
    ['seen', 'timestamp with time zone', true],
  ])
  expect(live.get('shop.shots')).toMatchObject({ primaryKey: ['film', 'no'], replicaIdentities: ['d'] })
})

test('processes that start at once make a table once', async () => {
  const { store } = await captureStage()
  await Promise.all([prepareTables(store, [films]), prepareTables(store, [films]), prepareTables(store, [films])])
  expect((await readLiveTables(store, [films])).size).toBe(1)
})

test('every difference is named in one message, with the statements that mend it', async () => {
  const { store } = await captureStage()
  await store.sql`create table films (id int8, no int, title int not null, rating text, primary key (id, no))`
  const error = await refusal(prepareTables(store, [films]))
  expect(error).toMatchObject({ code: 'TABLE_MISMATCH' })
  expect(error.message).toContain('column "title" is integer, which cannot hold the declared text')
  expect(error.message).toContain('column "rating" is text, which cannot hold the declared double precision')
  expect(error.message).toContain('column "seen" is missing')
  expect(error.message).toContain('its primary key is (id, no), declared is (id)')
  expect(error.hint).toContain('alter table "public"."films" add column "seen" timestamptz')
})

test('a column that may be null where the declaration says never is refused, and its mend works', async () => {
  const { store } = await captureStage()
  await store.sql`create table films (id int primary key, title text, rating float8 not null, seen timestamptz, more int)`
  const error = await refusal(prepareTables(store, [films]))
  expect(error.message).toContain('column "title" may be null')
  const [, mend] = /run: (.*)$/.exec(error.hint) ?? []
  await store.sql.query(mend ?? '')
  await prepareTables(store, [films])
})

test('a table without a primary key is refused, and its mend works', async () => {
  const { store } = await captureStage()
  await store.sql`create table films (id int, title text not null, rating float8, seen timestamptz)`
  const error = await refusal(prepareTables(store, [films]))
  expect(error).toMatchObject({ code: 'TABLE_KEYLESS' })
  expect(error.hint).toBe('Run: alter table "public"."films" add primary key ("id")')
  await store.sql.query(error.hint.replace('Run: ', ''))
  await prepareTables(store, [films])
})

test('what Postgres does not log cannot be followed', async () => {
  const { store } = await captureStage()
  await store.sql`create view films as select 1 as id, 'x' as title`
  expect((await refusal(prepareTables(store, [films]))).message).toContain('is a view')
  await store.sql`drop view films`
  await store.sql`create unlogged table films (id int primary key, title text not null, rating float8, seen timestamptz)`
  const error = await refusal(prepareTables(store, [films]))
  expect(error.message).toContain('is an unlogged table')
  await store.sql.query(error.hint.replace('Run: ', ''))
  await prepareTables(store, [films])
})

test('a generated column cannot be followed', async () => {
  const { store } = await captureStage()
  await store.sql`
    create table films (id int primary key, title text not null generated always as ('x') stored, rating float8, seen timestamptz)`
  expect((await refusal(prepareTables(store, [films]))).message).toContain('column "title" is generated')
})

async function refusal(preparing: Promise<unknown>): Promise<PlatformError> {
  try {
    await preparing
  } catch (error) {
    return error as PlatformError
  }
  throw new Error('it was not refused')
}
