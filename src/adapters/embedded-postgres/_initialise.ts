import { randomBytes } from 'node:crypto'
import { chown, mkdir, open, readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PlatformError } from '../../kernel/errors.ts'
import type { Binaries } from './_binaries.ts'
import { serverFailure, spawnFailure } from './_failure.ts'
import { readIfThere } from './_files.ts'
import { startGuarded } from './_guarded-process.ts'
import type { Home } from './_home.ts'
import type { LogFile } from './_log-file.ts'

const prefix = 'postgres.new-'

export interface Initialisation {
  home: Home
  binaries: Binaries
  log: LogFile
  password: string
  fast: boolean
}

/**
 * Creates the data folder unless it is there, and says whether it did. It is made under another name and renamed when it
 * is whole, so an interruption leaves only something to sweep up.
 */
export async function initialise(options: Initialisation): Promise<boolean> {
  const { home, binaries } = options
  await sweep(home.place)
  if (await hasData(home, binaries)) return false
  const work = join(home.place, prefix + randomBytes(6).toString('hex'))
  try {
    await create(options, work)
    await rmdir(home.data).catch(ignoreMissing)
    await rename(join(work, 'data'), home.data)
    await syncFolder(home.place)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return true
}

async function sweep(place: string): Promise<void> {
  for (const entry of await readdir(place)) {
    if (entry.startsWith(prefix)) await rm(join(place, entry), { recursive: true, force: true })
  }
}

async function hasData(home: Home, binaries: Binaries): Promise<boolean> {
  const found = (await readIfThere(join(home.data, 'PG_VERSION')))?.trim()
  if (found === binaries.major) return true
  if (found !== undefined) throw outdated(home, found, binaries.major)
  const entries = await readdir(home.data).catch(ignoreMissing)
  if (entries === undefined || entries.length === 0) return false
  throw new PlatformError(
    'POSTGRES_START_FAILED',
    `${home.data} is not a Postgres data folder (it has no PG_VERSION)`,
    {
      hint: `Move it away: mv ${home.data} ${home.data}.old`,
    },
  )
}

function outdated(home: Home, found: string, expected: string): PlatformError {
  const older = Number(found) < Number(expected)
  return new PlatformError(
    'POSTGRES_DATA_OUTDATED',
    `the data in ${home.data} was written by Postgres ${found}; this version brings Postgres ${expected}`,
    {
      hint: older
        ? `Keep the data by dumping it with the version of Millrace that wrote it, or begin afresh: mv ${home.data} ${home.data}.${found}`
        : `Install the newer version of Millrace that wrote it, or begin afresh: mv ${home.data} ${home.data}.${found}`,
    },
  )
}

async function create(options: Initialisation, work: string): Promise<void> {
  const { home, log, password } = options
  await mkdir(work, { mode: 0o700 })
  const passwordFile = join(work, 'password')
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600, flag: 'wx' })
  if (home.account !== undefined) {
    await chown(passwordFile, home.account.uid, home.account.gid)
    await chown(work, home.account.uid, home.account.gid)
  }
  const output = await runInitdb(options, work, passwordFile, 'C.UTF-8')
  if (output === undefined) return
  // macOS before 14 has no C.UTF-8. Collation does not depend on it, only what pg_trgm takes for a letter.
  const again = output.includes('invalid locale name') ? await runInitdb(options, work, passwordFile, 'C') : output
  if (again === undefined) return
  await log.append(again)
  throw await serverFailure('cannot create the data folder', again, home.place, log.path)
}

/** The output when it failed. */
async function runInitdb(
  options: Initialisation,
  work: string,
  passwordFile: string,
  ctype: string,
): Promise<string | undefined> {
  const { home, binaries, fast } = options
  const initdb = await startGuarded({
    program: binaries.initdb,
    args: initdbArguments(join(work, 'data'), passwordFile, ctype, fast),
    account: home.account,
    cwd: work,
  })
  const [{ code }, output] = await Promise.all([initdb.exited, initdb.output])
  if (code === 126 || code === 127) throw spawnFailure(binaries.initdb, new Error(output))
  return code === 0 ? undefined : output
}

/** The built-in C.UTF-8 sorts by code point and knows the cases of all letters, the same on every system. */
function initdbArguments(data: string, passwordFile: string, ctype: string, fast: boolean): string[] {
  const locale = [
    '--locale=C',
    `--lc-ctype=${ctype}`,
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--encoding=UTF8',
  ]
  const access = ['--username=millrace', '--auth=scram-sha-256', `--pwfile=${passwordFile}`]
  return [`--pgdata=${data}`, ...locale, ...access, ...(fast ? ['--no-sync'] : [])]
}

/** Makes the rename itself survive a crash of the machine. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}
