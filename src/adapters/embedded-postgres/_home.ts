import { randomUUID } from 'node:crypto'
import { chmod, chown, lstat, mkdir, mkdtemp, realpath, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PlatformError } from '../../kernel/errors.ts'
import type { Logger } from '../../kernel/logger.ts'
import { type Account, accountCan, accountFor, findAccount, isRoot } from './_account.ts'
import { readJson, writeWhole } from './_files.ts'

/** Where the server's own files lie, and as whom it runs. */
export interface Home {
  /** Holds the folder `postgres` and, where needed, a copy of the programs. */
  place: string
  /** The data folder, `<place>/postgres`, with links resolved. */
  data: string
  /** `undefined`: as ourselves. */
  account: Account | undefined
}

const rootPlaces = ['/var/lib/millrace', '/usr/local/var/millrace']

/**
 * Settles where the data lies and as whom Postgres runs.
 *
 * A plain user: in `directory`, as that user. Postgres refuses to run as root, so root runs it as the owner of the data,
 * else as the owner of the folder, else as `nobody`. When that account cannot enter `directory` (it lies below a home
 * of mode 0700, say), the data lies in `/var/lib/millrace/<id>` instead and `postgres.location` in `directory` points
 * there; nobody's home is opened up for it.
 */
export async function settleHome(directory: string, logger: Logger): Promise<Home> {
  const pointer = await readPointer(directory)
  if (!isRoot()) {
    if (pointer === undefined) return await home(directory, undefined)
    throw new PlatformError('POSTGRES_DISK', `root keeps the data of ${directory} in ${pointer}`, {
      hint: `Start as root again, or use another folder with MILLRACE_DIR.`,
    })
  }
  if (pointer !== undefined && (await isOurs(pointer, directory))) return await home(pointer, await ownerOf(pointer))
  const account = await ownerOf(directory)
  if (await accountCan(account, 'cd "$1"', directory)) return await home(directory, account)
  if ((await ownerUid(join(directory, 'postgres'))) !== undefined) throw barred(directory, account)
  if (pointer !== undefined)
    logger.warn({ directory, pointer }, 'the data folder that postgres.location names is gone; starting afresh')
  return await home(await newPlace(directory), account)
}

/**
 * Makes `directory` when it is missing. Root gives it to the owner of the folder around it, who may come without root
 * next time, and lets others pass through but not look around, for the account that Postgres runs as.
 */
export async function makeDirectory(directory: string): Promise<string> {
  const made = await mkdir(directory, { recursive: true, mode: 0o755 })
  if (made === undefined) return await realpath(directory)
  // Said again because the umask may have taken it away.
  await chmod(directory, isRoot() ? 0o711 : 0o700)
  // It holds a password and a database: neither belongs in a repository.
  await writeFile(join(directory, '.gitignore'), '*\n')
  if (isRoot()) {
    const { uid, gid } = await stat(dirname(made))
    for (let path = directory; path.length >= made.length; path = dirname(path)) await chown(path, uid, gid)
  }
  return await realpath(directory)
}

/** The place outside `directory` that holds its data and nothing else, if there is one. */
export async function placeElsewhere(directory: string): Promise<string | undefined> {
  const pointer = await readPointer(directory)
  return pointer !== undefined && isRoot() && (await isOurs(pointer, await realpath(directory))) ? pointer : undefined
}

async function home(place: string, account: Account | undefined): Promise<Home> {
  const real = await realpath(place)
  return { place: real, data: join(real, 'postgres'), account }
}

function barred(directory: string, account: Account): PlatformError {
  return new PlatformError(
    'POSTGRES_DISK',
    `the user ${account.name}, who owns the data, can no longer enter ${directory}`,
    {
      hint: `Let it pass (chmod o+x on each folder above that lacks it), or move the folder to where it can.`,
    },
  )
}

/** The owner of the data if there is some, else the account to start with. */
async function ownerOf(place: string): Promise<Account> {
  const uid = await ownerUid(join(place, 'postgres'))
  if (uid === undefined || uid === 0) return await accountFor((await stat(place)).uid)
  const account = await findAccount(uid)
  if (account !== undefined) return account
  throw new PlatformError(
    'POSTGRES_START_FAILED',
    `the data in ${place} belongs to uid ${uid}, which this system does not know`,
    {
      hint: `Give it to a user that exists: chown -R nobody ${join(place, 'postgres')}`,
    },
  )
}

async function ownerUid(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).uid
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

async function readPointer(directory: string): Promise<string | undefined> {
  const place = (await readJson(pointerPath(directory)))?.['place']
  return typeof place === 'string' ? place : undefined
}

function pointerPath(directory: string): string {
  return join(directory, 'postgres.location')
}

/** Whether the place was made for this folder. A copied folder must not share its data with the original. */
async function isOurs(place: string, directory: string): Promise<boolean> {
  if (!(await isSafe(place))) return false
  const owner = (await readJson(join(place, 'owner.json')))?.['directory']
  if (typeof owner !== 'string') return false
  if (owner === directory) return true
  if ((await readPointer(owner)) === place) return false
  await writeOwner(place, directory) // the folder was moved
  return true
}

async function newPlace(directory: string): Promise<string> {
  const place = await makePlace()
  await chmod(place, 0o711)
  await writeOwner(place, directory)
  await writeWhole(pointerPath(directory), `${JSON.stringify({ place })}\n`, 0o600)
  return place
}

async function writeOwner(place: string, directory: string): Promise<void> {
  await writeWhole(join(place, 'owner.json'), `${JSON.stringify({ directory })}\n`, 0o600)
}

async function makePlace(): Promise<string> {
  for (const parent of rootPlaces) {
    try {
      await mkdir(parent, { recursive: true })
      if (!(await isSafe(parent))) continue
      await chmod(parent, 0o755)
      const place = join(parent, randomUUID())
      await mkdir(place)
      return place
    } catch (error) {
      if (
        !(
          error instanceof Error &&
          'code' in error &&
          (error.code === 'EROFS' || error.code === 'EACCES' || error.code === 'ENOENT')
        )
      )
        throw error
    }
  }
  // A name that nobody can have prepared for us, in a folder where nobody else can replace it.
  return await mkdtemp(join(tmpdir(), 'millrace-'))
}

/** A real folder of root's, in which and above which nobody else can put things. */
async function isSafe(path: string): Promise<boolean> {
  try {
    const found = await lstat(path)
    if (!found.isDirectory() || found.uid !== 0 || (found.mode & 0o022) !== 0) return false
    const above = await lstat(dirname(path))
    return above.uid === 0 && ((above.mode & 0o022) === 0 || (above.mode & 0o1000) !== 0)
  } catch {
    return false
  }
}
