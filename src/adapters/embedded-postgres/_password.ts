import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { PlatformError } from '../../kernel/errors.ts'
import type { Binaries } from './_binaries.ts'
import { readIfThere, writeWhole } from './_files.ts'
import type { Home } from './_home.ts'

/** The password in the folder, in a file that only its owner reads. */
export async function readPassword(directory: string): Promise<string | undefined> {
  const text = (await readIfThere(passwordPath(directory)))?.trim()
  return text === '' ? undefined : text
}

export async function newPassword(directory: string): Promise<string> {
  const password = randomBytes(24).toString('base64url')
  await writeWhole(passwordPath(directory), `${password}\n`, 0o600)
  return password
}

/** Sets the password where data exists whose password is lost, through a server that serves only its standard input. */
export async function resetPassword(home: Home, binaries: Binaries, password: string): Promise<void> {
  const { account } = home
  const server = spawn(binaries.postgres, ['--single', '-D', home.data, 'postgres'], {
    cwd: home.place,
    env: { LC_ALL: 'C' },
    stdio: ['pipe', 'ignore', 'pipe'],
    ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
  })
  let output = ''
  server.stderr.on('data', (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-4000)
  })
  server.stdin.on('error', () => {}) // it ended early, which its exit code tells
  server.stdin.end(`alter role millrace password '${password}'\n`)
  const [code] = await once(server, 'exit')
  if (code !== 0 || /ERROR|FATAL/.test(output)) {
    throw new PlatformError('POSTGRES_START_FAILED', `cannot set a new password: ${output.trim().split('\n').at(-1)}`)
  }
}

function passwordPath(directory: string): string {
  return join(directory, 'postgres.password')
}
