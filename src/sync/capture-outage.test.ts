import { expect, test } from 'vitest'
import { captureStage, replay, type Stage } from '../../test/support/capture-stage.ts'
import { kill, serverPid, temporaryFolder } from '../../test/support/embedded-postgres.ts'
import { type EmbeddedPostgres, openEmbeddedPostgres } from '../adapters/embedded-postgres/open-embedded-postgres.ts'
import { table } from '../events/table.ts'
import { silentLogger } from '../kernel/logger.ts'
import { t } from '../kernel/schema.ts'
import { migrate } from '../store/migrate.ts'
import { openStore } from '../store/store.ts'

const things = table('things', { id: t.int(), n: t.int() }, { key: 'id' })

async function stageOfItsOwn(directory: string): Promise<{ stage: Stage; postgres: EmbeddedPostgres }> {
  const postgres = await openEmbeddedPostgres({ directory, fast: true, settings: { shared_buffers: '64MB' } })
  const store = openStore({ url: postgres.url, connections: 1, logger: silentLogger, applicationName: 'capture test' })
  await migrate(store)
  await store.close()
  return { stage: await captureStage(postgres), postgres }
}

test('Postgres dies again and again under load: nothing is lost, nothing comes twice', {
  timeout: 90_000,
}, async () => {
  const directory = await temporaryFolder()
  const { stage, postgres } = await stageOfItsOwn(directory)
  const { sql } = stage.store
  await sql`create table things (id int primary key, n int not null)`
  stage.start([things], { maxRecords: 50 })
  await stage.caughtUp()
  let deaths = 0
  let id = 0
  while (deaths < 4) {
    id += 1
    // A write whose answer was lost may have happened: the table is what counts.
    await sql`insert into things select ${id}::int * 100 + i, 0 from generate_series(1, 20) i on conflict do nothing`
      .then(() => sql`update things set n = n + 1 where id % 7 = ${id % 7}`)
      .catch(() => undefined)
    if (id % 15 !== 0) continue
    deaths += 1
    const died = await serverPid(directory)
    kill(died)
    await stage.until(async () => (await answers(stage)) && (await serverPid(directory)) !== died, 'Postgres is back')
  }
  await stage.caughtUp()
  const rows = await sql<{ id: number }>`select id, n from things`
  expect([...replay(await stage.log(), things)].sort()).toEqual(rows.map((row) => [String(row.id), row]).sort())
  await stage.close()
  await postgres.close()
})

test('Postgres stops in order at once, however idle capture is', { timeout: 60_000 }, async () => {
  const directory = await temporaryFolder()
  const { stage, postgres } = await stageOfItsOwn(directory)
  const capture = stage.start([things])
  await stage.caughtUp()
  // Too little to be noted while idle, and a server that stops asks for it to be confirmed.
  await stage.store.sql`create table unrelated ()`
  const startedAt = performance.now()
  await postgres.close()
  expect(performance.now() - startedAt).toBeLessThan(2500)
  await stage.until(() => capture.status().state === 'retrying', 'capture notices')
  await stage.close()
})

const answers = (stage: Stage): Promise<boolean> =>
  stage.store.sql`select 1`.then(
    () => true,
    () => false,
  )
