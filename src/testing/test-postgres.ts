import { createHash, randomUUID } from 'node:crypto'
import { chmod, mkdtemp, readdir, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedPostgres } from '../adapters/embedded-postgres/open-embedded-postgres.ts'
import { removeEmbeddedPostgres } from '../adapters/embedded-postgres/remove-embedded-postgres.ts'
import { silentLogger } from '../kernel/logger.ts'
import { migrate, ownMigrations } from '../store/migrate.ts'
import { openStore, type Store } from '../store/store.ts'

/** A database of one test. */
export interface TestDatabase {
  readonly url: string
  readonly name: string
  /** Drops it, with its replication slots and whoever is still connected. */
  drop(): Promise<void>
}

/** A Postgres for tests: quick, not durable. */
export interface TestServer {
  readonly url: string
  close(): Promise<void>
}

interface Server {
  admin: Store
  urlOf(database: string): string
  template: string
}

const prefix = 'millrace-test-'
/** Any number that never changes: one process makes the template, the others wait. */
const templateLock = 2_071_593_482
let urlOfServer = async (): Promise<string> => (await startTestServer()).url
let server: Promise<Server> | undefined

/**
 * Has the databases of this process made on a server that others use too, which spares its start. Call it before the
 * first `testDatabase`; `url` is asked then.
 */
export function useTestServer(url: () => Promise<string>): void {
  urlOfServer = url
}

/**
 * A fresh database with the schema of Millrace, cloned from a template on a Postgres that this process starts on first
 * use and that ends with it (or on that of `useTestServer`). It needs nothing installed.
 */
export async function testDatabase(): Promise<TestDatabase> {
  server ??= prepareServer()
  const { admin, urlOf, template } = await server
  const name = `t_${randomUUID().replaceAll('-', '')}`
  await admin.sql.query(`create database ${name} template ${template}`)
  return {
    name,
    url: urlOf(name),
    async drop() {
      await admin.sql`
        select pg_terminate_backend(active_pid) from pg_replication_slots where database = ${name} and active_pid is not null`
      await dropSlots(admin, name)
      await admin.sql.query(`drop database if exists ${name} with (force)`)
    },
  }
}

/** A walsender needs a moment to end; its slot cannot be dropped before. */
async function dropSlots(admin: Store, database: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await admin.sql`select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = ${database}`
      return
    } catch (error) {
      if (attempt === 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/** Starts a Postgres for the tests of this and other processes. It ends with this process at the latest. */
export async function startTestServer(): Promise<TestServer> {
  await sweep()
  const directory = await mkdtemp(join(tmpdir(), prefix))
  // As root, Postgres runs as another user, who must be able to pass through.
  await chmod(directory, 0o711)
  const postgres = await openEmbeddedPostgres({
    directory,
    fast: true,
    settings: { max_connections: 400, max_replication_slots: 64, max_wal_senders: 64, shared_buffers: '64MB' },
  })
  const close = async (): Promise<void> => {
    await postgres.close()
    await removeEmbeddedPostgres(directory)
  }
  return { url: postgres.url, close }
}

async function prepareServer(): Promise<Server> {
  const serverUrl = await urlOfServer()
  const urlOf = (database: string): string => {
    const url = new URL(serverUrl)
    url.pathname = `/${database}`
    return url.href
  }
  const admin = openTestStore(serverUrl)
  return { admin, urlOf, template: await makeTemplate(admin, urlOf) }
}

/** A database with our schema, made once for each server and set of migrations: copying it is quicker than migrating. */
async function makeTemplate(admin: Store, urlOf: (database: string) => string): Promise<string> {
  const migrations = ownMigrations()
  const hash = createHash('sha256')
    .update(migrations.map(({ sql }) => sql).join())
    .digest('hex')
  const template = `millrace_template_${hash.slice(0, 16)}`
  await admin.withClient(async (client) => {
    await client.query('select pg_advisory_lock($1)', [templateLock])
    try {
      const found = await client.query('select 1 from pg_database where datname = $1', [template])
      if (found.rowCount !== 0) return
      // What a process that was killed left unfinished has the name of a beginning, never that of a template.
      const beginning = `${template}_new`
      await client.query(`drop database if exists ${beginning} with (force)`)
      await client.query(`create database ${beginning}`)
      const first = openTestStore(urlOf(beginning))
      await migrate(first, migrations)
      await first.close()
      await client.query(`alter database ${beginning} rename to ${template}`)
    } finally {
      await client.query('select pg_advisory_unlock($1)', [templateLock])
    }
  })
  return template
}

const openTestStore = (url: string): Store =>
  openStore({ url, connections: 4, logger: silentLogger, applicationName: 'millrace test' })

/** Removes what earlier test processes left; one that is still at work holds its folder. */
async function sweep(): Promise<void> {
  for (const entry of await readdir(tmpdir())) {
    if (!entry.startsWith(prefix)) continue
    const folder = join(tmpdir(), entry)
    const info = await stat(folder).catch(() => undefined)
    if (info === undefined || Date.now() - info.mtimeMs < 60_000) continue
    await removeEmbeddedPostgres(folder).catch(() => undefined) // held, or somebody else's
  }
}
