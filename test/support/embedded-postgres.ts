import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, readlink, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, onTestFinished } from 'vitest'
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  openEmbeddedPostgres,
} from '../../src/adapters/embedded-postgres/open-embedded-postgres.ts'

const run = promisify(execFile)
const repository = fileURLToPath(new URL('../..', import.meta.url))

export const isRoot: boolean = process.getuid?.() === 0

/** `daemon`: on every system an account that is neither root nor `nobody`, as whom root runs Postgres. */
export const plainUser: { uid: number; gid: number } = { uid: 1, gid: 1 }

/**
 * A folder that every account can enter, removed after the test, together with what still runs in it.
 * @param after when to remove it instead: `afterAll` where several tests share it
 */
export async function temporaryFolder(
  mode = 0o755,
  after: (clean: () => Promise<void>) => void = onTestFinished,
): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'millrace-test-')))
  await chmod(folder, mode)
  after(async () => {
    for (const pid of await processesIn(folder)) kill(pid)
    await until('the folder is removed', () =>
      rm(folder, { recursive: true, force: true }).then(
        () => true,
        () => false,
      ),
    )
  })
  return folder
}

/** A folder that was opened before: copied, owners and all, which is faster than to initialise one. */
export async function preparedFolder(after?: (clean: () => Promise<void>) => void): Promise<string> {
  template ??= prepare()
  const folder = await temporaryFolder(0o755, after)
  await run('cp', ['-a', `${await template}/.`, folder])
  return folder
}

let template: Promise<string> | undefined

afterAll(async () => {
  if (template !== undefined) await rm(await template, { recursive: true, force: true })
})

async function prepare(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'millrace-template-')))
  await chmod(folder, 0o755)
  const postgres = await openEmbeddedPostgres({ directory: folder, fast: true })
  await postgres.close()
  return folder
}

/** Opens, runs `use` and closes. */
export async function withPostgres<T>(
  options: EmbeddedPostgresOptions,
  use: (postgres: EmbeddedPostgres) => Promise<T>,
): Promise<T> {
  const postgres = await openEmbeddedPostgres({ fast: true, ...options })
  try {
    return await use(postgres)
  } finally {
    await postgres.close()
  }
}

/** The answer to one statement: the first column of the first row. */
export async function ask(url: string, statement: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  try {
    await client.connect()
    const result = await client.query({ text: statement, rowMode: 'array' })
    return result.rows[0]?.[0]
  } finally {
    await client.end().catch(() => {})
  }
}

/** Polls until `fact` is true; there is no signal for what other processes do. */
export async function until(what: string, fact: () => boolean | Promise<boolean>, ms = 15_000): Promise<void> {
  const deadline = Date.now() + ms
  while (!(await fact())) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`)
    await sleep(10)
  }
}

/** Processes that work in the folder (Postgres) or name it (its guardian), by /proc. */
export async function processesIn(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
  const found = await Promise.all(
    pids.map(async (pid) => {
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '')
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      return within(cwd, folder) || (command.includes('millrace-guardian') && command.includes(folder))
        ? Number(pid)
        : undefined
    }),
  )
  return found.filter((pid) => pid !== undefined)
}

function within(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}

export async function serverPid(directory: string): Promise<number> {
  return Number((await readFile(join(directory, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0])
}

export async function guardianPids(folder: string): Promise<number[]> {
  const found: number[] = []
  for (const pid of await processesIn(folder)) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (command.includes('millrace-guardian')) found.push(pid)
  }
  return found
}

export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // ended before
  }
}

/** An app of its own process that has opened the folder, or failed to. */
export interface App {
  process: ChildProcess
  postgres: Omit<EmbeddedPostgres, 'close'>
  /** Ends it without a chance to clean up. */
  kill(): Promise<void>
}

export interface AppOptions {
  uid?: number
  gid?: number
  fast?: boolean
  /** A line of shell before it, such as `umask 077`. */
  shell?: string
  /** Where the repository is, if it was copied. */
  repository?: string
  /** In a process group of its own, whose number is its process id. */
  grouped?: boolean
}

/** What an app that could not open reports. */
export class AppFailure extends Error {
  readonly code: string
  readonly hint: string
  constructor(failure: { code: string; message: string; hint: string }) {
    super(failure.message)
    this.code = failure.code
    this.hint = failure.hint
  }
}

/** Starts an app that opens `directory` and stays. Throws AppFailure when it cannot. */
export async function startApp(directory: string, options: AppOptions = {}): Promise<App> {
  const child = spawnApp(directory, options)
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit').then(() => ['{}']),
  ])
  const answer = JSON.parse(String(line))
  if (answer.opened === undefined)
    throw answer.failed === undefined ? new Error('the app ended silently') : new AppFailure(answer.failed)
  return {
    process: child,
    postgres: answer.opened,
    async kill() {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** The same without waiting for it. */
export function spawnApp(
  directory: string,
  options: AppOptions = {},
): ChildProcess & { stdout: NodeJS.ReadableStream } {
  const root = options.repository ?? repository
  const script = `
    import { openEmbeddedPostgres } from ${JSON.stringify(join(root, 'src/adapters/embedded-postgres/open-embedded-postgres.ts'))}
    try {
      const opened = await openEmbeddedPostgres({ directory: ${JSON.stringify(directory)}, fast: ${options.fast ?? true} })
      process.on('SIGTERM', () => opened.close().then(() => process.exit(0)))
      console.log(JSON.stringify({ opened }))
      setInterval(() => {}, 60_000)
    } catch ({ code, message, hint }) {
      console.log(JSON.stringify({ failed: { code, message, hint } }))
    }`
  const { uid, gid, shell = ':' } = options
  const child = spawn(
    '/bin/sh',
    ['-c', `${shell}; exec "$@"`, 'sh', process.execPath, '--import', 'tsx', '--input-type=module', '-e', script],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: options.grouped ?? false,
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    },
  )
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return child
}
