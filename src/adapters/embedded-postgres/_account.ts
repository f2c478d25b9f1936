import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { PlatformError } from '../../kernel/errors.ts'

const run = promisify(execFile)

/** A user of the operating system that Postgres runs as. */
export interface Account {
  name: string
  uid: number
  gid: number
}

/** Whether we are root, whom Postgres refuses. */
export function isRoot(): boolean {
  return process.getuid?.() === 0
}

/** Looks an account up by name or number; `undefined` when the system does not know it (initdb then refuses it too). */
export async function findAccount(user: string | number): Promise<Account | undefined> {
  const ask = async (what: string): Promise<string> => (await run('id', [what, String(user)])).stdout.trim()
  try {
    const [uid, gid, name] = await Promise.all([ask('-u'), ask('-g'), ask('-un')])
    return { name, uid: Number(uid), gid: Number(gid) }
  } catch {
    return undefined
  }
}

/** The account for a folder that holds no data yet: its owner if that is not root, else `nobody`. */
export async function accountFor(ownerUid: number): Promise<Account> {
  const account = (ownerUid === 0 ? undefined : await findAccount(ownerUid)) ?? (await findAccount('nobody'))
  if (account !== undefined && account.uid !== 0) return account
  throw new PlatformError('POSTGRES_START_FAILED', 'Postgres refuses to run as root, and there is no user "nobody"', {
    hint: 'Run as a user other than root, or set DATABASE_URL.',
  })
}

/** Whether `account` passes the shell test, for example `test -r "$1"`. Asked of the kernel, so that ACLs count too. */
export async function accountCan(account: Account, test: string, ...paths: string[]): Promise<boolean> {
  try {
    await run('/bin/sh', ['-c', test, 'sh', ...paths], { uid: account.uid, gid: account.gid, cwd: '/' })
    return true
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false
    throw new PlatformError('POSTGRES_START_FAILED', `root may not become the user ${account.name} here`, {
      cause: error,
      hint: 'Run as a user other than root, or allow SETUID, SETGID and CHOWN (Docker: --cap-add).',
    })
  }
}
