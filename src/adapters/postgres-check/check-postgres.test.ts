import { createServer } from 'node:net'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask, preparedFolder } from '../../../test/support/embedded-postgres.ts'
import { type EmbeddedPostgres, openEmbeddedPostgres } from '../embedded-postgres/open-embedded-postgres.ts'
import { readFacts } from './_facts.ts'
import { judge } from './_judge.ts'
import { checkPostgres, refuseUnsuitable } from './check-postgres.ts'
import type { Finding, Problem } from './finding.ts'

async function withPostgres(
  settings: Record<string, string | number>,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const postgres = await openEmbeddedPostgres({ directory: await preparedFolder(), fast: true, settings })
  try {
    await use(postgres.url)
  } finally {
    await postgres.close()
  }
}

const bad = (findings: readonly Finding[]): Problem[] =>
  findings.filter((finding): finding is Problem => finding.level !== 'ok')

test('the embedded Postgres as it is started for an app is found well', async () => {
  await withPostgres({ fsync: 'on' }, async (url) => {
    const findings = await checkPostgres(url)
    expect(bad(findings)).toEqual([])
    expect(findings[0]?.what).toMatch(/^Postgres 18/)
    expect(() => refuseUnsuitable(findings)).not.toThrow()
  })
})

test('a server as Debian installs it, used by a plain role, is refused with the statement for each thing missing', async () => {
  await withPostgres({ wal_level: 'replica', max_slot_wal_keep_size: -1, fsync: 'on' }, async (url) => {
    await ask(url, `create role "web App" login password 'x'`)
    const plain = new URL(url)
    plain.username = 'web App'
    plain.password = 'x'
    const findings = await checkPostgres(plain.href)
    expect(bad(findings)).toEqual([
      expect.objectContaining({
        level: 'error',
        mend: `ALTER SYSTEM SET wal_level = 'logical';  -- then restart the server`,
      }),
      expect.objectContaining({ level: 'error', mend: 'GRANT CREATE ON DATABASE millrace TO "web App";' }),
      expect.objectContaining({ level: 'error', mend: 'ALTER ROLE "web App" WITH REPLICATION;' }),
      expect.objectContaining({ level: 'warning', mend: expect.stringContaining('max_slot_wal_keep_size') }),
    ])
    expect(() => refuseUnsuitable(findings)).toThrow(
      expect.objectContaining({ code: 'STORE_UNSUITABLE', hint: expect.stringContaining('GRANT CREATE') }),
    )

    // The statements do mend it.
    for (const { mend } of bad(findings)) if (!mend.includes('SYSTEM')) await ask(url, mend)
    expect(bad(await checkPostgres(plain.href)).map(({ level }) => level)).toEqual(['error', 'warning'])
  })
})

test('taken slots and senders are refused, unless the slot is ours', async () => {
  await withPostgres({ max_replication_slots: 1, max_wal_senders: 0, fsync: 'on' }, async (url) => {
    await ask(url, `select pg_create_logical_replication_slot('mine', 'pgoutput')`)
    const findings = bad(await checkPostgres(url))
    expect(findings).toEqual([
      expect.objectContaining({ level: 'error', mend: expect.stringContaining(`pg_drop_replication_slot('mine')`) }),
      expect.objectContaining({ level: 'error', mend: expect.stringContaining('max_wal_senders') }),
    ])
    expect(bad(await checkPostgres(url, { slot: 'mine' }))).toHaveLength(1)
  })
})

describe('from the facts', () => {
  let postgres: EmbeddedPostgres
  let client: pg.Client
  let removeFolder = async (): Promise<void> => {}
  beforeAll(async () => {
    postgres = await openEmbeddedPostgres({
      directory: await preparedFolder((clean) => {
        removeFolder = clean
      }),
      fast: true,
      settings: { fsync: 'on' },
    })
    client = new pg.Client({ connectionString: postgres.url })
    await client.connect()
  })
  afterAll(async () => {
    await client?.end()
    await postgres?.close()
    await removeFolder()
  })

  test.each([
    [{ version: '13.9', versionNumber: 130_009 }, 'error', /14 or newer/, /pg_upgrade/],
    [{ standby: true, readOnly: true }, 'error', /standby/, /primary/],
    [{ readOnly: true }, 'error', /read-only/, /ALTER DATABASE millrace SET/],
    [{ encoding: 'SQL_ASCII' }, 'error', /SQL_ASCII/, /CREATE DATABASE millrace_utf8/],
    [{ walLevel: 'replica', provider: 'rds' }, 'error', /replica/, /rds.logical_replication/],
    [{ walLevel: 'replica', provider: 'cloudsql' }, 'error', /replica/, /cloudsql.logical_decoding/],
    [{ walLevel: 'replica', provider: 'azure' }, 'error', /replica/, /az postgres/],
    [{ mayReplicate: false, provider: 'rds' }, 'error', /log of changes/, /GRANT rds_replication TO millrace/],
    [{ slotKeepMb: -1, provider: 'rds' }, 'warning', /fill the disk/, /parameters of the instance/],
    [
      { idleSlots: [{ name: "o'ld", bytes: 3 * 1024 ** 3 }] },
      'warning',
      /3.0 GB/,
      /pg_drop_replication_slot\('o''ld'\)/,
    ],
    [{ fsync: 'off' }, 'warning', /fsync/, /ALTER SYSTEM/],
    [{ trigrams: false }, 'warning', /pg_trgm/, /contrib/],
  ] as const)('%o is an %s', async (change, level, what, mend) => {
    const facts = await readFacts(client, undefined)
    expect(bad(judge({ ...facts, ...(change as object) }))).toEqual([
      { level, what: expect.stringMatching(what), mend: expect.stringMatching(mend) },
    ])
  })

  test('a wrong password, a database that is not there and a silent port are told apart, and no password is shown', async () => {
    const change = (edit: (url: URL) => void): string => {
      const url = new URL(postgres.url)
      edit(url)
      return url.href
    }
    const wrong = change((url) => {
      url.password = 'secret'
    })
    await expect(checkPostgres(wrong)).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.not.stringContaining('secret'),
      hint: expect.stringContaining('password'),
    })
    const missing = change((url) => {
      url.pathname = '/nowhere'
    })
    await expect(checkPostgres(missing)).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      hint: expect.stringContaining('createdb'),
    })
    const silent = change((url) => {
      url.port = '1'
    })
    await expect(checkPostgres(silent)).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      hint: expect.stringContaining('Start Postgres'),
    })
    const stranger = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1')
    await new Promise((resolve) => stranger.once('listening', resolve))
    const address = stranger.address()
    const other = change((url) => {
      url.port = String(typeof address === 'object' ? address?.port : 0)
    })
    await expect(checkPostgres(other)).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' })
    stranger.close()
  })
})
