import pg from 'pg'
import { messageOf, PlatformError } from '../../kernel/errors.ts'
import { readFacts, type SqlClient } from './_facts.ts'
import { judge } from './_judge.ts'
import type { Finding, Problem } from './finding.ts'

export interface PostgresCheck {
  /** The replication slot that we use: when it is there already, no free one is needed. */
  slot?: string
}

/**
 * Looks whether a Postgres that we did not start suits us: version 14 or newer, writable, UTF8, `wal_level` logical,
 * privileges to create and to replicate, free slots and senders; warns of what can go wrong later. Changes nothing.
 * Throws STORE_UNREACHABLE when `target` is an address and nobody lets us in there.
 *
 * @param target `postgres://…`, or a client or pool that is connected
 */
export async function checkPostgres(target: string | SqlClient, check: PostgresCheck = {}): Promise<Finding[]> {
  if (typeof target !== 'string') return judge(await readFacts(target, check.slot))
  const client = new pg.Client({
    connectionString: target,
    application_name: 'millrace check',
    connectionTimeoutMillis: 10_000,
  })
  client.on('error', () => {}) // also given to whoever waits for the answer
  try {
    await client.connect().catch((error: unknown) => {
      throw unreachable(target, error)
    })
    return judge(await readFacts(client, check.slot))
  } finally {
    await client.end().catch(() => {})
  }
}

/** Throws STORE_UNSUITABLE with every error among the findings and how to mend it. */
export function refuseUnsuitable(findings: readonly Finding[]): void {
  const errors = findings.filter((finding): finding is Problem => finding.level === 'error')
  if (errors.length === 0) return
  throw new PlatformError(
    'STORE_UNSUITABLE',
    `the Postgres of DATABASE_URL cannot be used: ${errors.map(({ what }) => what).join('; ')}`,
    {
      hint: errors.map(({ mend }) => mend).join('\n'),
    },
  )
}

/** Server codes from https://www.postgresql.org/docs/current/errcodes-appendix.html */
const mends: Record<string, string> = {
  ECONNREFUSED: 'Start Postgres there, or correct host and port in DATABASE_URL.',
  ENOTFOUND: 'Correct the host in DATABASE_URL.',
  ETIMEDOUT: 'Check the host in DATABASE_URL and the firewalls on the way.',
  '28P01': 'Correct user and password in DATABASE_URL.',
  '28000': 'Allow this user and host in pg_hba.conf of the server, or use TLS (?sslmode=require).',
  '3D000': 'Create the database (createdb), or correct its name in DATABASE_URL.',
  '53300': 'Raise max_connections of the server, or close other clients.',
}

function unreachable(url: string, error: unknown): PlatformError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const mend = mends[code]
  return new PlatformError(
    'STORE_UNREACHABLE',
    `cannot connect to ${withoutPassword(url)}: ${messageOf(error) || code}`,
    {
      cause: error,
      ...(mend === undefined ? {} : { hint: mend }),
    },
  )
}

/** The address as it may be shown. */
function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return 'DATABASE_URL'
  const { protocol, username, host, pathname } = new URL(url)
  return `${protocol}//${username === '' ? '' : `${username}@`}${host}${pathname}`
}
