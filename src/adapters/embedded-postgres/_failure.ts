import { statfs } from 'node:fs/promises'
import { messageOf, PlatformError } from '../../kernel/errors.ts'

const diskCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
const accessCodes = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'])
/** Less than this fills up while Postgres complains about it. */
const fullBelowBytes = 1024 * 1024
const diskTexts = /No space left on device|Disk quota exceeded|File too large/

/** Turns what the file system threw into an error that says how to mend it. Other errors come back as they are. */
export function fileFailure(error: unknown, folder: string): unknown {
  if (error instanceof PlatformError || !(error instanceof Error) || !('code' in error)) return error
  const code = String(error.code)
  if (diskCodes.has(code)) return diskFull(folder, error)
  if (!accessCodes.has(code)) return error
  const user = process.getuid === undefined ? 'this user' : `the user with uid ${process.getuid()}`
  return new PlatformError('POSTGRES_DISK', `cannot use ${folder}: ${error.message}`, {
    cause: error,
    hint: `Make ${folder} writable for ${user}, or choose another folder with MILLRACE_DIR.`,
  })
}

/** Explains why `initdb` or `postgres` gave up, from what it printed, if there was room to print it. */
export async function serverFailure(
  what: string,
  output: string,
  folder: string,
  logPath: string,
): Promise<PlatformError> {
  if (diskTexts.test(output) || (await isFull(folder))) return diskFull(folder, new Error(lastComplaint(output)))
  const hint = output.includes('error while loading shared libraries')
    ? 'A system library is missing; install it, or set DATABASE_URL.'
    : `Read ${logPath}.`
  return new PlatformError('POSTGRES_START_FAILED', `${what}: ${lastComplaint(output)}`, { hint })
}

/** Explains why the program could not even be executed. */
export function spawnFailure(program: string, error: unknown): PlatformError {
  return new PlatformError('POSTGRES_START_FAILED', `cannot execute ${program}: ${messageOf(error)}`, {
    cause: error,
    hint: 'The bundled Postgres needs glibc (not Alpine), /bin/sh and a file system that allows execution; or set DATABASE_URL.',
  })
}

/** As for a user other than root, for whom file systems keep a reserve. */
async function isFull(folder: string): Promise<boolean> {
  const { bavail, bsize, files, ffree } = await statfs(folder)
  return bavail * bsize < fullBelowBytes || (files > 0 && ffree === 0)
}

function diskFull(folder: string, cause: Error): PlatformError {
  return new PlatformError('POSTGRES_DISK', `the disk that holds ${folder} is full: ${cause.message}`, {
    cause,
    hint: `Free some space (see df -h ${folder}) and start again; nothing committed is lost.`,
  })
}

function lastComplaint(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  const complaint = lines.findLast((line) => /FATAL|PANIC|error:|error while/i.test(line)) ?? lines.at(-1)
  return complaint?.replace(/^.*?(FATAL|PANIC):\s*/, '').trim() ?? 'it printed nothing'
}
