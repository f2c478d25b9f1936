import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import pg from 'pg'
import { isRoot, plainUser, until } from './embedded-postgres.ts'

export interface Pooler {
  /** The address of the database through it, marked as pooled. */
  url: string
  stop(): Promise<void>
}

/** The installed PgBouncer, or `undefined` where there is none and the tests that need it are skipped. */
export async function findPgBouncer(): Promise<string | undefined> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  for (const folder of folders) {
    const path = join(folder, 'pgbouncer')
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path
  }
  const message = 'PgBouncer is not installed (Debian: apt-get install pgbouncer)'
  if (process.env['REQUIRE_ENGINES'] === '1') throw new Error(message)
  return undefined
}

/** Starts one in transaction mode in front of a database, with few server connections, so that they are shared at once. */
export async function startPgBouncer(program: string, databaseUrl: string): Promise<Pooler> {
  const target = new URL(databaseUrl)
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'millrace-pgbouncer-'))
  await chmod(folder, 0o755)
  const database = target.pathname.slice(1)
  const config = `[databases]
${database} = host=${target.hostname} port=${target.port} dbname=${database} user=${target.username} password=${decodeURIComponent(target.password)}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
max_client_conn = 200
ignore_startup_parameters = extra_float_digits
`
  const file = join(folder, 'pgbouncer.ini')
  await writeFile(file, config)
  const child = spawn(program, [file], {
    stdio: 'ignore',
    // As root it refuses to run.
    ...(isRoot ? { uid: plainUser.uid, gid: plainUser.gid } : {}),
  })
  const url = new URL(databaseUrl)
  url.port = String(port)
  url.searchParams.set('pgbouncer', 'true')
  await until('PgBouncer answers', () => answers(url.href))
  return { url: url.href, stop: () => stop(child, folder) }
}

async function answers(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString })
  client.on('error', () => {})
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit')
  await rm(folder, { recursive: true })
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
