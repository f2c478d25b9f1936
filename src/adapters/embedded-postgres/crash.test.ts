import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import {
  ask,
  guardianPids,
  kill,
  preparedFolder,
  processesIn,
  serverPid,
  spawnApp,
  startApp,
  temporaryFolder,
  until,
} from '../../../test/support/embedded-postgres.ts'
import type { Restart } from './_supervise.ts'
import { openEmbeddedPostgres } from './open-embedded-postgres.ts'

const nothingRuns = (directory: string) => async (): Promise<boolean> => (await processesIn(directory)).length === 0

describe('the app is killed', () => {
  test('and Postgres ends in order, without an orphan', async () => {
    const directory = await preparedFolder()
    const app = await startApp(directory)
    const client = await openSession(app.postgres.url)
    await app.kill()
    await until('nothing runs', nothingRuns(directory), 5000)
    expect(await readFile(join(directory, 'postgres.log'), 'utf8')).toContain('database system is shut down')
    await client.end().catch(() => {})
  })

  test('and the next start, at once, has everything that was committed', async () => {
    const directory = await preparedFolder()
    const app = await startApp(directory, { fast: false })
    await ask(app.postgres.url, 'create table kept as select 1 as n')
    await app.kill()
    const next = await openEmbeddedPostgres({ directory })
    expect(next.port).toBe(app.postgres.port)
    expect(await ask(next.url, 'select n from kept')).toBe(1)
    await next.close()
  })

  test('before Postgres answered, and it leaves no orphan and no harm', async () => {
    const directory = await temporaryFolder()
    for (const named of ['lock', 'postgres.password', 'postgres.new-', 'postgres', 'postgres/postmaster.pid']) {
      const app = spawnApp(directory)
      await until(`${named} appears`, () => appears(directory, named))
      app.kill('SIGKILL')
      await until('nothing runs', nothingRuns(directory))
    }
    const postgres = await openEmbeddedPostgres({ directory, fast: true })
    expect(await ask(postgres.url, 'select 1')).toBe(1)
    expect((await readdir(directory)).filter((entry) => entry.includes('new-') || entry.includes('tmp'))).toEqual([])
    await postgres.close()
  })

  test('by ending without close, and there is no orphan either', async () => {
    const directory = await preparedFolder()
    const app = await startApp(directory)
    app.process.kill('SIGHUP')
    await until('nothing runs', nothingRuns(directory), 5000)
  })
})

describe('the guardian is killed', () => {
  test('and another one takes over', async () => {
    const directory = await preparedFolder()
    const app = await startApp(directory)
    const [first = 0] = await guardianPids(directory)
    kill(first)
    await until('another guards', async () => (await guardianPids(directory)).some((pid) => pid !== first))
    expect(await ask(app.postgres.url, 'select 1')).toBe(1)
    await app.kill()
    await until('nothing runs', nothingRuns(directory), 5000)
  })

  test('together with the app: the next start ends the Postgres that is left', async () => {
    const directory = await preparedFolder()
    const app = await startApp(directory)
    await ask(app.postgres.url, 'create table kept as select 1 as n')
    const left = await serverPid(directory)
    for (const pid of await guardianPids(directory)) kill(pid, 'SIGSTOP')
    await app.kill()
    for (const pid of await guardianPids(directory)) kill(pid)
    expect(await ask(app.postgres.url, 'select 1')).toBe(1)
    const next = await openEmbeddedPostgres({ directory, fast: true })
    expect(await serverPid(directory)).not.toBe(left)
    expect(await processesIn(directory)).not.toContain(left)
    expect(await ask(next.url, 'select n from kept')).toBe(1)
    await next.close()
  })
})

describe('Postgres is killed', () => {
  test('and comes back on the same port with what was committed, again and again', async () => {
    const directory = await preparedFolder()
    const restarts: Restart[] = []
    const postgres = await openEmbeddedPostgres({
      directory,
      fast: true,
      onRestart: (restart) => restarts.push(restart),
    })
    await ask(postgres.url, 'create table kept (n int)')
    for (const n of [1, 2, 3]) {
      await ask(postgres.url, `insert into kept values (${n})`)
      kill(await serverPid(directory))
      await until('it is back', () => restarts.length === n)
      expect(await ask(postgres.url, 'select count(*)::int from kept')).toBe(n)
      expect(await guardianPids(directory)).toHaveLength(1)
    }
    expect(restarts[0]).toEqual({ reason: 'SIGKILL', downMs: expect.any(Number) })
    await postgres.close()
    expect(await processesIn(directory)).toEqual([])
  })

  test('while a query spins that would outlive it', async () => {
    const directory = await preparedFolder()
    const restarts: Restart[] = []
    const postgres = await openEmbeddedPostgres({
      directory,
      fast: true,
      onRestart: (restart) => restarts.push(restart),
    })
    const client = await openSession(postgres.url)
    client.query('select count(*) from generate_series(1, 1e12)').catch(() => {})
    await until(
      'it spins',
      async () =>
        (await ask(
          postgres.url,
          `select count(*)::int from pg_stat_activity where query like '%1e12%' and pid <> pg_backend_pid()`,
        )) === 1,
    )
    kill(await serverPid(directory))
    await until('it is back', () => restarts.length === 1)
    expect(await ask(postgres.url, 'select 1')).toBe(1)
    await postgres.close()
    await client.end().catch(() => {})
  })

  test('and the app closes the moment that Postgres is back, before it was told so', async () => {
    const directory = await preparedFolder()
    for (let round = 1; round <= 5; round += 1) {
      const postgres = await openEmbeddedPostgres({ directory, fast: true })
      kill(await serverPid(directory))
      await until('it answers', () => ask(postgres.url, 'select true').then(Boolean, () => false))
      await postgres.close()
      await until('nothing runs', nothingRuns(directory), 1000)
    }
  })

  test('while the app closes', async () => {
    const directory = await preparedFolder()
    const postgres = await openEmbeddedPostgres({ directory, fast: true })
    kill(await serverPid(directory))
    await postgres.close()
    await until('nothing runs', nothingRuns(directory), 5000)
  })
})

test('everything is killed at once, and the next start has everything that was committed', async () => {
  const directory = await preparedFolder()
  const app = await startApp(directory, { fast: false })
  await ask(app.postgres.url, 'create table kept as select 1 as n')
  for (const pid of [...(await processesIn(directory)), app.process.pid ?? 0]) kill(pid)
  const next = await openEmbeddedPostgres({ directory, fast: true })
  expect(await ask(next.url, 'select n from kept')).toBe(1)
  await next.close()
})

test('one of two apps on two folders is killed, and the other does not notice', async () => {
  const [a, b] = await Promise.all([
    preparedFolder().then((folder) => startApp(folder)),
    preparedFolder().then((folder) => startApp(folder)),
  ])
  await a.kill()
  await until('a ended', nothingRuns(a.postgres.directory), 5000)
  expect(await ask(b.postgres.url, 'select 1')).toBe(1)
})

test('SIGTERM to the whole process group, as a terminal or a supervisor sends it, still stops in order', async () => {
  const directory = await preparedFolder()
  const app = await startApp(directory, { grouped: true })
  kill(-(app.process.pid ?? 0), 'SIGTERM')
  await until('nothing runs', nothingRuns(directory), 5000)
  expect(await readFile(join(directory, 'postgres.log'), 'utf8')).toContain('database system is shut down')
})

async function openSession(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  return client
}

async function appears(directory: string, named: string): Promise<boolean> {
  const folder = join(directory, named.includes('/') ? 'postgres' : '')
  const entries = await readdir(folder).catch((): string[] => [])
  return named.endsWith('-')
    ? entries.some((entry) => entry.startsWith(named))
    : entries.includes(named.split('/').at(-1) ?? '')
}
