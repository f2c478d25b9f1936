import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { PlatformError } from '../../kernel/errors.ts'

const pollMs = 10

/** The kernel allows 104 (macOS) to 108 (Linux) bytes, one of them the closing zero. */
const maxSocketPath = 100

export interface Address {
  port: number
  password: string
  database: string
}

/** `server_version`, such as `18.4`, as soon as the server answers; `undefined` when `alive` turned false before. */
export async function whenReady(
  address: Address,
  data: string,
  alive: () => boolean,
  signal: AbortSignal,
): Promise<string | undefined> {
  while (alive()) {
    signal.throwIfAborted()
    try {
      return await ask(address, data)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : connectionEnded
      if (code === unknownDatabase) await createDatabase(address)
      else if (code === wrongPassword) throw passwordFailure(error)
      else if (!notYet.has(code)) throw error
      else await sleep(pollMs)
    }
  }
  return undefined
}

/** `postgres://` with everything a client needs. */
export function urlOf({ port, password, database }: Address): string {
  return `postgres://millrace:${encodeURIComponent(password)}@127.0.0.1:${port}/${encodeURIComponent(database)}`
}

/** The same by way of the Unix socket in the data folder, which carries about a sixth more round trips a second. */
export function socketUrlOf(address: Address, data: string): string | undefined {
  const folder = socketFolderOf(address.port, data)
  if (folder === undefined) return undefined
  const { password, database, port } = address
  return `postgres://millrace:${encodeURIComponent(password)}@/${encodeURIComponent(database)}?host=${encodeURIComponent(folder)}&port=${port}`
}

/** The data folder, which only its owner can enter, unless the path of the socket in it would be too long. */
export function socketFolderOf(port: number, data: string): string | undefined {
  return Buffer.byteLength(`${data}/.s.PGSQL.${port}`) <= maxSocketPath ? data : undefined
}

const unknownDatabase = '3D000'
const wrongPassword = '28P01'
/** What pg says without a code when the server ends the connection in the middle. */
const connectionEnded = ''
/** Refused or reset; starting, recovering or ending; clients that were faster took every connection. */
const notYet: ReadonlySet<string> = new Set([
  connectionEnded,
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  '57P01',
  '57P02',
  '57P03',
  '53300',
])

async function ask(address: Address, data: string): Promise<string> {
  return await connected(address, async (client) => {
    const { rows } = await client.query<{ data: string; version: string }>(
      `select current_setting('data_directory') as data, current_setting('server_version') as version`,
    )
    const answer = rows[0]
    if (answer?.data === data) return answer.version
    throw new PlatformError('POSTGRES_START_FAILED', `another Postgres answers on port ${address.port}`)
  })
}

async function createDatabase(address: Address): Promise<void> {
  await connected({ ...address, database: 'postgres' }, async (client) => {
    await client.query(`create database ${pg.escapeIdentifier(address.database)}`)
  })
}

async function connected<T>(address: Address, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: urlOf(address),
    application_name: 'millrace launcher',
    connectionTimeoutMillis: 5000,
  })
  client.on('error', () => {}) // also given to whoever waits for the answer
  try {
    await client.connect()
    return await use(client)
  } finally {
    await client.end().catch(() => {})
  }
}

function passwordFailure(cause: unknown): PlatformError {
  return new PlatformError(
    'POSTGRES_START_FAILED',
    'Postgres does not accept the password in the file postgres.password',
    {
      cause,
      hint: 'Remove that file: the next start sets a new password.',
    },
  )
}
