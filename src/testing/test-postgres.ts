import { randomUUID } from 'node:crypto'
import { chmod, mkdtemp, readdir, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedPostgres } from '../adapters/embedded-postgres/open-embedded-postgres.ts'
import { removeEmbeddedPostgres } from '../adapters/embedded-postgres/remove-embedded-postgres.ts'
import { silentLogger } from '../kernel/logger.ts'
import { migrate } from '../store/migrate.ts'
import { openStore, type Store } from '../store/store.ts'

/** A database of one test. */
export interface TestDatabase {
  readonly url: string
  readonly name: string
  /** Drops it, with its replication slots and whoever is still connected. */
  drop(): Promise<void>
}

interface Server {
  admin: Store
  urlOf(database: string): string
}

const prefix = 'millrace-test-'
const template = 'millrace_template'
let server: Promise<Server> | undefined

/**
 * A fresh database with the schema of Millrace, cloned from a template on a Postgres that this process starts on first
 * use and that ends with it. It needs nothing installed.
 */
export async function testDatabase(): Promise<TestDatabase> {
  server ??= startServer()
  const { admin, urlOf } = await server
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

async function startServer(): Promise<Server> {
  await sweep()
  const directory = await mkdtemp(join(tmpdir(), prefix))
  // As root, Postgres runs as another user, who must be able to pass through.
  await chmod(directory, 0o711)
  const postgres = await openEmbeddedPostgres({
    directory,
    fast: true,
    settings: { max_connections: 400, max_replication_slots: 64, max_wal_senders: 64, shared_buffers: '64MB' },
  })
  const urlOf = (database: string): string => {
    const url = new URL(postgres.url)
    url.pathname = `/${database}`
    return url.href
  }
  const admin = openTestStore(postgres.url)
  await admin.sql.query(`create database ${template}`)
  const first = openTestStore(urlOf(template))
  await migrate(first)
  await first.close()
  return { admin, urlOf }
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
