import { expect, test } from 'vitest'
import { captureStage, type Stage } from '../../test/support/capture-stage.ts'
import { type TableDefinition, table } from '../events/table.ts'
import { t } from '../kernel/schema.ts'
import { prepareTables } from './prepare-tables.ts'
import { widenReplicaIdentity } from './replica-identity.ts'

const films = table('films', { id: t.int(), title: t.string() }, { key: 'id' })
const whole = table('films', films.fields, { key: 'id', before: true })

async function stageWithFilms(): Promise<Stage> {
  const stage = await captureStage()
  await stage.store.sql`create table films (id int primary key, title text not null)`
  return stage
}

async function widen({ store }: Stage, definition: TableDefinition): Promise<readonly string[]> {
  const live = (await prepareTables(store, [definition])).get('films')
  if (live !== undefined) await widenReplicaIdentity(store, definition, live)
  return (await prepareTables(store, [definition])).get('films')?.replicaIdentities ?? []
}

test('the identity becomes as wide as changes need, and never narrower', async () => {
  const stage = await stageWithFilms()
  const { sql } = stage.store
  expect(await widen(stage, films)).toEqual(['d'])
  await sql`alter table films replica identity nothing`
  expect(await widen(stage, films)).toEqual(['d'])
  await sql`create unique index by_title on films (title)`
  await sql`alter table films replica identity using index by_title`
  expect(await widen(stage, films)).toEqual(['f'])
  await sql`alter table films replica identity default`
  expect(await widen(stage, whole)).toEqual(['f'])
  expect(await widen(stage, films)).toEqual(['f'])
})

test('a table in use is not locked against others while its identity has to wait', async () => {
  const stage = await stageWithFilms()
  const reader = await stage.store.connect()
  await reader.query('begin')
  await reader.query('select * from films')
  const widening = expect(widen(stage, whole)).rejects.toMatchObject({ code: 'CAPTURE_FAILED', retryable: true })
  await stage.store.sql`insert into films values (1, 'Alien')`
  await widening
  await reader.end()
  expect(await widen(stage, whole)).toEqual(['f'])
})
