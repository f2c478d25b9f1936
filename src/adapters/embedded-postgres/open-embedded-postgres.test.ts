import { mkdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ask,
  guardianPids,
  preparedFolder,
  processesIn,
  temporaryFolder,
  until,
  withPostgres,
} from '../../../test/support/embedded-postgres.ts'
import { attachEmbeddedPostgres } from './attach-embedded-postgres.ts'
import { type EmbeddedPostgres, openEmbeddedPostgres } from './open-embedded-postgres.ts'

describe('the first start', () => {
  test('makes a Postgres 18 that decodes the log, and keeps what is written for the next start', async () => {
    const directory = join(await temporaryFolder(), '.millrace')
    const first = await withPostgres({ directory, fast: false }, async (postgres) => {
      expect(postgres.firstStart).toBe(true)
      expect(postgres.version).toMatch(/^18\./)
      const show = (name: string): Promise<unknown> => ask(postgres.url, `show ${name}`)
      expect(await show('wal_level')).toBe('logical')
      expect(await show('fsync')).toBe('on')
      expect(await show('synchronous_commit')).toBe('on')
      expect(await show('full_page_writes')).toBe('on')
      expect(await show('data_checksums')).toBe('on')
      expect(await show('listen_addresses')).toBe('127.0.0.1')
      expect(await show('password_encryption')).toBe('scram-sha-256')
      expect(
        await ask(
          postgres.url,
          `select datlocale || ' ' || pg_encoding_to_char(encoding) from pg_database where datname = 'millrace'`,
        ),
      ).toBe('C.UTF-8 UTF8')
      await ask(postgres.url, `create table kept as select 'Amélie' as title`)
      return postgres
    })
    await withPostgres({ directory, fast: false }, async (postgres) => {
      expect(postgres).toMatchObject({ firstStart: false, port: first.port, url: first.url })
      expect(await ask(postgres.url, 'select title from kept')).toBe('Amélie')
    })
  })

  test('takes a long folder whose name needs care', async () => {
    const directory = join(await temporaryFolder(), `it's "ünï" $HOME %d \\x`, 'far/'.repeat(30), '.millrace')
    await withPostgres({ directory }, async ({ url, socketUrl }) => {
      expect(socketUrl).toBeUndefined()
      expect(await ask(url, 'select 1')).toBe(1)
    })
    await withPostgres({ directory }, async ({ url, firstStart }) => {
      expect(firstStart).toBe(false)
      expect(await ask(url, 'select 1')).toBe(1)
    })
  })

  test('takes a short folder whose name needs care, with its socket', async () => {
    const directory = join(await temporaryFolder(), `a, "b" 'ü`)
    await withPostgres({ directory }, async ({ socketUrl }) => expect(await ask(socketUrl ?? '', 'select 1')).toBe(1))
  })

  test('can be given up', async () => {
    const directory = await temporaryFolder()
    const opening = openEmbeddedPostgres({ directory, fast: true, signal: AbortSignal.timeout(300) })
    await expect(opening).rejects.toMatchObject({ name: 'TimeoutError' })
    await until('nothing runs', async () => (await processesIn(directory)).length === 0)
    await withPostgres({ directory }, async ({ url }) => expect(await ask(url, 'select 1')).toBe(1))
  })
})

test('settings of the caller win, except for where it listens', async () => {
  const directory = await preparedFolder()
  const settings = { work_mem: '7MB', max_connections: 33, listen_addresses: '*' }
  await withPostgres({ directory, settings, database: 'Shop "1"' }, async ({ url }) => {
    expect(await ask(url, 'show work_mem')).toBe('7MB')
    expect(await ask(url, 'show max_connections')).toBe('33')
    expect(await ask(url, 'show listen_addresses')).toBe('127.0.0.1')
    expect(await ask(url, 'select current_database()')).toBe('Shop "1"')
    expect(await ask(url, 'show fsync')).toBe('off')
    expect(await ask(url, 'show synchronous_commit')).toBe('on')
  })
})

describe('the port', () => {
  test('is another one when the remembered one is taken', async () => {
    const directory = await preparedFolder()
    const first = await withPostgres({ directory }, async ({ port }) => port)
    const thief = createServer().listen(first, '127.0.0.1')
    try {
      const second = await withPostgres({ directory }, async ({ port, url }) => {
        expect(await ask(url, 'select 1')).toBe(1)
        return port
      })
      expect(second).not.toBe(first)
      await withPostgres({ directory }, async ({ port }) => expect(port).toBe(second))
    } finally {
      thief.close()
    }
  })

  test('differs between two folders that run side by side', async () => {
    const [first, second] = [await preparedFolder(), await preparedFolder()]
    await withPostgres({ directory: first }, async (a) => {
      await withPostgres({ directory: second }, async (b) => {
        expect(b.port).not.toBe(a.port)
        await ask(a.url, 'create table only_a ()')
        expect(await ask(b.url, `select to_regclass('only_a')`)).toBeNull()
      })
      expect(await ask(a.url, 'select 1')).toBe(1)
    })
  })
})

describe('a folder that is open', () => {
  let folder: string
  let directory: string
  let postgres: EmbeddedPostgres
  let removeFolder = async (): Promise<void> => {}
  beforeAll(async () => {
    folder = await temporaryFolder(0o755, (clean) => {
      removeFolder = clean
    })
    directory = join(folder, 'deep', '.millrace')
    postgres = await openEmbeddedPostgres({ directory, fast: true })
  })
  afterAll(async () => {
    await postgres.close()
    await removeFolder()
  })

  test('refuses a second opening, naming who holds it and where', async () => {
    await writeFile(join(directory, 'app.json'), JSON.stringify({ url: 'http://127.0.0.1:4400' }))
    await expect(openEmbeddedPostgres({ directory })).rejects.toMatchObject({
      code: 'POSTGRES_HELD',
      message: `${directory} is in use by process ${process.pid} at http://127.0.0.1:4400`,
    })
    expect(await ask(postgres.url, 'select 1')).toBe(1)
  })

  test('can be attached to', async () => {
    const { url, port } = postgres
    expect(await attachEmbeddedPostgres(directory)).toMatchObject({ url, port, pid: process.pid })
  })

  test('knows the letters of all languages, for search', async () => {
    await ask(postgres.url, 'create extension pg_trgm')
    expect(await ask(postgres.url, `select similarity('АМЕЛИ', 'амели')`)).toBe(1)
    expect(await ask(postgres.url, `select to_tsvector('simple', 'ÄPFEL')::text`)).toBe(`'äpfel':1`)
    expect(await ask(postgres.url, `select lower('ÉÀ')`)).toBe('éà')
  })

  test('is reached by its socket too, with the password only', async () => {
    const url = postgres.socketUrl ?? ''
    expect(await ask(url, 'select inet_server_addr() is null')).toBe(true)
    await expect(ask(url.replace(/:[^:@]+@/, ':guess@'), 'select 1')).rejects.toMatchObject({ code: '28P01' })
  })

  test('refuses a wrong password and a connection without one', async () => {
    const wrong = new URL(postgres.url)
    wrong.password = 'guess'
    await expect(ask(wrong.href, 'select 1')).rejects.toMatchObject({ code: '28P01' })
    wrong.password = ''
    await expect(ask(wrong.href, 'select 1')).rejects.toThrow(/password/)
  })

  test('keeps the password to its owner and itself out of repositories', async () => {
    expect((await stat(join(directory, 'postgres.password'))).mode & 0o777).toBe(0o600)
    expect((await stat(join(directory, 'postgres'))).mode & 0o777).toBe(0o700)
    expect((await stat(directory)).mode & 0o066).toBe(0)
    expect(await readFile(join(directory, '.gitignore'), 'utf8')).toBe('*\n')
    const password = (await readFile(join(directory, 'postgres.password'), 'utf8')).trim()
    expect(await readFile(join(directory, 'postgres.json'), 'utf8')).not.toContain(password)
    expect(await readFile(join(directory, 'postgres.log'), 'utf8')).not.toContain(password)
  })

  test('listens on the loopback address only', async () => {
    const others = Object.values(networkInterfaces())
      .flat()
      .filter((one) => one?.internal === false)
    for (const other of others) {
      const elsewhere = new URL(postgres.url)
      elsewhere.hostname = other?.family === 'IPv6' ? `[${other.address}]` : (other?.address ?? '')
      await expect(ask(elsewhere.href, 'select 1')).rejects.toThrow()
    }
  })
})

describe('close', () => {
  test('leaves no process behind, and may be called twice', async () => {
    const directory = await preparedFolder()
    const postgres = await openEmbeddedPostgres({ directory, fast: true })
    expect((await guardianPids(directory)).length).toBe(1)
    await Promise.all([postgres.close(), postgres.close()])
    await expect(attachEmbeddedPostgres(directory)).rejects.toMatchObject({ code: 'POSTGRES_NOT_RUNNING' })
    await until('nothing runs', async () => (await processesIn(directory)).length === 0, 2000)
  })

  test('takes at most 5 s when a replication client that does not answer holds Postgres up', async () => {
    const directory = await preparedFolder()
    const postgres = await openEmbeddedPostgres({ directory, fast: true })
    await ask(postgres.url, `select pg_create_logical_replication_slot('deaf', 'test_decoding')`)
    const client = new pg.Client({ connectionString: `${postgres.url}?replication=database` })
    client.on('error', () => {})
    await client.connect()
    client.query('START_REPLICATION SLOT deaf LOGICAL 0/0').catch(() => {})
    await until(
      'it streams',
      async () => (await ask(postgres.url, `select count(*)::int from pg_stat_replication`)) === 1,
    )
    const started = performance.now()
    await postgres.close()
    expect(performance.now() - started).toBeLessThan(5000)
    expect(await processesIn(directory)).toEqual([])
    await client.end().catch(() => {})
  })
})

test('damaged notes of an earlier start do no harm', async () => {
  const directory = await preparedFolder()
  await withPostgres({ directory }, async () => {})
  await truncate(join(directory, 'postgres.json'), 5)
  await mkdir(join(directory, 'postgres.new-abc'))
  await withPostgres({ directory }, async ({ url }) => expect(await ask(url, 'select 1')).toBe(1))
  await expect(stat(join(directory, 'postgres.new-abc'))).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a process id in postmaster.pid that is a stranger by now does not stop a start, nor is the stranger harmed', async () => {
  const directory = await preparedFolder()
  await withPostgres({ directory }, async () => {})
  await writeFile(
    join(directory, 'postgres', 'postmaster.pid'),
    `${process.ppid}\n${directory}/postgres\n1\n5432\n\n127.0.0.1\n  1  1\n`,
  )
  await withPostgres({ directory }, async ({ url }) => expect(await ask(url, 'select 1')).toBe(1))
  expect(process.kill(process.ppid, 0)).toBe(true)
})
