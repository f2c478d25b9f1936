import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PlatformError } from '../kernel/errors.ts'
import type { Store, Transaction } from './store.ts'

/** One numbered SQL file, such as `0001_log.sql`. */
export interface Migration {
  name: string
  sql: string
}

/** Any number will do as long as it never changes: it serialises processes that migrate at once. */
const migrationLock = 6_411_904_217

export function readMigrations(folder: string): Migration[] {
  return readdirSync(folder)
    .filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name))
    .sort()
    .map((name) => ({ name, sql: readFileSync(join(folder, name), 'utf8') }))
}

export const ownMigrations = (): Migration[] => readMigrations(join(import.meta.dirname, 'migrations'))

/**
 * Applies what is missing, in order, in one transaction under an advisory lock. A released file that changed is refused
 * with MIGRATION_CHANGED, one this version does not know with MIGRATION_UNKNOWN. Returns the names applied now.
 */
export function migrate(store: Store, migrations: readonly Migration[] = ownMigrations()): Promise<string[]> {
  return store.transaction(async (tx) => {
    await tx.sql`select pg_advisory_xact_lock(${migrationLock})`
    await tx.sql`create schema if not exists millrace`
    await tx.sql`create table if not exists millrace.migrations (
      name text primary key, checksum text not null, applied_at timestamptz not null default now())`
    const applied = await tx.sql<{ name: string; checksum: string }>`select name, checksum from millrace.migrations`
    checkApplied(applied, migrations)
    const missing = migrations.filter(({ name }) => !applied.some((done) => done.name === name))
    for (const migration of missing) await apply(tx, migration)
    return missing.map(({ name }) => name)
  })
}

async function apply(tx: Transaction, { name, sql }: Migration): Promise<void> {
  await tx.client.query({ text: sql })
  await tx.sql`insert into millrace.migrations (name, checksum) values (${name}, ${checksum(sql)})`
}

function checkApplied(applied: readonly { name: string; checksum: string }[], migrations: readonly Migration[]): void {
  for (const done of applied) {
    const known = migrations.find(({ name }) => name === done.name)
    if (known === undefined)
      throw new PlatformError(
        'MIGRATION_UNKNOWN',
        `the database has migration ${done.name}, which this version does not know`,
      )
    if (checksum(known.sql) !== done.checksum)
      throw new PlatformError('MIGRATION_CHANGED', `migration ${done.name} was changed after it was applied`)
  }
}

function checksum(sql: string): string {
  return createHash('sha256').update(sql).digest('hex')
}
