import pg from 'pg'
import { PlatformError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import { parseColumnText } from './column-text.ts'
import { makeSql, oneByOne, type Queryable, type Sql, type Statement } from './sql.ts'

/** A transaction: everything through `sql` or `run` commits together or not at all. */
export interface Transaction {
  readonly client: Queryable
  readonly sql: Sql
  run<R extends object>(statement: Statement, values?: readonly unknown[]): Promise<R[]>
}

/** Postgres as Millrace uses it. */
export interface Store {
  /** Address for connections of one's own. */
  readonly url: string
  /** False behind a pooler without a direct address: no LISTEN, no replication, no session state. */
  readonly sessions: boolean
  /** Runs each statement by itself, on whichever connection is free. */
  readonly sql: Sql
  run<R extends object>(statement: Statement, values?: readonly unknown[]): Promise<R[]>
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  /** Lends one connection until `release`; a connection that broke meanwhile is closed instead of reused. */
  acquire(): Promise<Lent>
  /** Lends one connection; state left in its session is the borrower's to clean. */
  withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T>
  /** Opens a connection of its own, outside the pool; the caller ends it. */
  connect(): Promise<pg.Client>
  close(): Promise<void>
}

export interface Lent {
  readonly client: pg.PoolClient
  release(): void
}

export interface StoreOptions {
  url: string
  /** Address of a pooler in transaction mode (PgBouncer) in front of it, for everything that needs no session. */
  pooler?: { url: string; sessions: boolean }
  /** Most connections of the pool. */
  connections: number
  logger: Logger
  applicationName: string
}

/** Connections time out fast: a store that cannot be reached must say so, not hang. */
const connectTimeoutMs = 5000

export function openStore({ url, pooler, connections, logger, applicationName }: StoreOptions): Store {
  const configOf = (connectionString: string): pg.ClientConfig => ({
    connectionString,
    types: { getTypeParser: columnParser as typeof pg.types.getTypeParser },
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    application_name: applicationName,
  })
  const pool = new pg.Pool({
    ...configOf(pooler?.url ?? url),
    max: connections,
    idleTimeoutMillis: 30_000,
    ...(pooler === undefined ? {} : { Client: UnnamedClient }),
  })
  // One that breaks while it is handed over has nobody's listener: the pool has taken its own away, we come a moment later.
  pool.on('connect', (client) => client.on('error', () => undefined))
  // An idle connection that breaks is replaced by the pool; without a listener Node would end the process.
  let closing = false
  pool.on('error', (error) => {
    // The pool says it has ended before its sockets have.
    if (!closing) logger.warn({ error: error.message }, 'an idle Postgres connection broke')
  })

  const acquire = async (): Promise<Lent> => {
    const client = await pool.connect().catch((cause: unknown) => {
      throw new PlatformError('STORE_UNREACHABLE', `cannot connect to Postgres at ${publicUrl(url)}`, { cause })
    })
    let broken: Error | undefined
    const onError = (error: Error): void => {
      broken = error
    }
    client.on('error', onError)
    return {
      client,
      release: () => {
        client.off('error', onError)
        client.release(broken)
      },
    }
  }

  const withClient = async <T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
    const { client, release } = await acquire()
    try {
      return await work(client)
    } finally {
      release()
    }
  }

  const run = async <R extends object>(statement: Statement, values: readonly unknown[] = []): Promise<R[]> =>
    withClient(async (client) => (await client.query({ ...statement, values: [...values] })).rows as R[])

  return {
    url,
    sessions: pooler?.sessions ?? true,
    sql: makeSql(() => ({
      query: ((query: pg.QueryConfig) => withClient((client) => client.query(query))) as Queryable['query'],
    })),
    run,
    acquire,
    withClient,
    transaction: (work) => withClient((client) => inTransaction(client, work)),
    async connect() {
      const client = pooler?.sessions === false ? new UnnamedClient(configOf(url)) : new pg.Client(configOf(url))
      client.on('error', (error) => logger.debug({ error: error.message }, 'a dedicated Postgres connection broke'))
      try {
        await client.connect()
      } catch (cause) {
        throw new PlatformError('STORE_UNREACHABLE', `cannot connect to Postgres at ${publicUrl(url)}`, { cause })
      }
      return client
    },
    async close() {
      closing = true
      await pool.end()
    },
  }
}

/** Behind a pooler the next statement may meet another server process, which does not know what this one prepared. */
class UnnamedClient extends pg.Client {
  override query(...args: unknown[]): never {
    const [config, ...rest] = args
    const unnamed = isNamed(config) ? { ...config, name: undefined } : config
    return (super.query as (...args: unknown[]) => never)(unnamed, ...rest)
  }
}

/** Plain configurations only: a stream of COPY is an object with methods of its own. */
function isNamed(config: unknown): config is pg.QueryConfig {
  return typeof config === 'object' && config !== null && 'name' in config && 'text' in config && !('submit' in config)
}

async function inTransaction<T>(client: pg.PoolClient, work: (tx: Transaction) => Promise<T>): Promise<T> {
  await client.query('begin')
  try {
    const result = await work(transactionOn(client))
    await commit(client)
    return result
  } catch (error) {
    // The first error is the one to tell; a rollback that fails too means the connection is gone, and so is the work.
    await client.query('rollback').catch(() => client.emit('error', error))
    throw error
  }
}

/**
 * Commits. Postgres answers the commit of a transaction in which a statement failed with a rollback, not with an error.
 * @throws TRANSACTION_ABORTED
 */
export async function commit(client: Pick<pg.ClientBase, 'query'>): Promise<void> {
  const { command } = await client.query('commit')
  if (command === 'COMMIT') return
  throw new PlatformError(
    'TRANSACTION_ABORTED',
    'nothing was committed: a statement of the transaction failed and its error was caught',
  )
}

/** Wraps a client on which a transaction is already open. */
export function transactionOn(connection: Queryable): Transaction {
  const client = oneByOne(connection)
  return {
    client,
    sql: makeSql(() => client),
    run: async <R extends object>(statement: Statement, values: readonly unknown[] = []) =>
      (await client.query({ ...statement, values: [...values] })).rows as R[],
  }
}

function columnParser(oid: number, format?: string): (value: string) => unknown {
  return format === 'binary' ? (value) => value : parseColumnText(oid)
}

/** The SQLSTATE of an error that Postgres reported (PostgreSQL manual, appendix A), else `undefined`. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

/** The address without its password. */
export function publicUrl(url: string): string {
  return url.replace(/(:\/\/[^:/@]*):[^@]*@/, '$1:***@')
}
