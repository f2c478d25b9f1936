import { chmod, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { openEmbeddedPostgres } from '../../src/adapters/embedded-postgres/open-embedded-postgres.ts'
import { removeEmbeddedPostgres } from '../../src/adapters/embedded-postgres/remove-embedded-postgres.ts'

/** One Postgres for everybody in a run, with the settings an app gets: fsync on, commits synchronous. */
export interface BenchPostgres {
  /** A new, empty database. */
  database(name: string): Promise<string>
  close(): Promise<void>
}

export async function openBenchPostgres(): Promise<BenchPostgres> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
  await chmod(directory, 0o711)
  const postgres = await openEmbeddedPostgres({ directory })
  return {
    async database(name) {
      const client = new pg.Client(postgres.url)
      await client.connect()
      await client.query(`create database bench_${name}`).finally(() => client.end())
      const url = new URL(postgres.url)
      url.pathname = `/bench_${name}`
      return url.href
    },
    async close() {
      await postgres.close()
      await removeEmbeddedPostgres(directory)
    },
  }
}
