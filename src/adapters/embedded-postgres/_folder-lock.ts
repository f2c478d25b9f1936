import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PlatformError } from '../../kernel/errors.ts'
import { giveToFolderOwner, readJson, writeWhole } from './_files.ts'

const attempts = 6
const strayAfterMs = 60_000
/** The kernel allows 104 (macOS) to 108 (Linux) bytes, one of them the closing zero. */
const maxSocketPath = 100

export interface FolderLock {
  release(): Promise<void>
}

export interface Holder {
  pid: number
}

/**
 * Holds a folder for this process until `release` or until the process ends, however it ends.
 *
 * Each candidate listens on a socket of its own and then writes a claim that names it: a claim is alive exactly while
 * its socket accepts, which the kernel decides; process ids, their reuse and containers do not matter. Because a claim
 * is written before the others are listed, of two candidates at least one sees the other; whoever sees another
 * withdraws and tries again after a random wait. Names are never used twice, so clearing dead claims cannot hit a live one.
 */
export async function holdFolder(directory: string): Promise<FolderLock> {
  const folder = lockFolder(directory)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await giveToFolderOwner(folder)
  let holder: Holder | undefined
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const claim = await makeClaim(folder)
    holder = await findHolder(folder, claim.name)
    if (holder === undefined) return { release: claim.withdraw }
    await claim.withdraw()
    if (attempt < attempts) await sleep(10 + Math.random() * 20 * attempt)
  }
  throw await held(directory, holder)
}

/** The process that holds the folder now, if any. */
export async function currentHolder(directory: string): Promise<Holder | undefined> {
  return await findHolder(lockFolder(directory), '')
}

function lockFolder(directory: string): string {
  return join(directory, 'lock')
}

async function held(directory: string, holder: Holder | undefined): Promise<PlatformError> {
  const app = await readJson(join(directory, 'app.json'))
  const at = typeof app?.['url'] === 'string' ? ` at ${app['url']}` : ''
  const pid = holder?.pid ?? 0
  return new PlatformError('POSTGRES_HELD', `${directory} is in use by process ${pid}${at}`, {
    hint:
      pid === process.pid
        ? 'This very process opened it before: close that one first.'
        : `Stop it (kill ${pid}), or use another folder with MILLRACE_DIR.`,
  })
}

interface Claim {
  name: string
  withdraw(): Promise<void>
}

async function makeClaim(folder: string): Promise<Claim> {
  const name = randomBytes(8).toString('hex')
  const address = await socketAddress(folder, name)
  // Nobody has anything to say here: that the connection is accepted is the answer.
  const server = createServer((socket) => socket.destroy())
  try {
    await listen(server, address.path)
    // Root may have made it: any user who can enter the folder must be able to tell a dead socket from a live one.
    await chmod(address.path, 0o666)
    await writeWhole(
      join(folder, `${name}.json`),
      JSON.stringify({ pid: process.pid, since: new Date().toISOString() }),
      0o644,
    )
  } catch (error) {
    server.close()
    await address.close()
    throw error
  }
  return {
    name,
    async withdraw() {
      await rm(join(folder, `${name}.json`), { force: true })
      await new Promise((resolve) => server.close(resolve))
      await address.close()
    },
  }
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    // In a cluster worker the socket would otherwise belong to the primary process.
    server.listen({ path, exclusive: true }, resolve)
  })
  server.unref()
}

async function findHolder(folder: string, own: string): Promise<Holder | undefined> {
  const entries = await entriesOf(folder)
  for (const entry of entries) {
    const [name = ''] = entry.split('.')
    if (name === own) continue
    if (entry === `${name}.json`) {
      const holder = await aliveHolder(folder, name)
      if (holder !== undefined) return holder
    } else if (!entries.includes(`${name}.json`)) {
      await clearStray(join(folder, entry))
    }
  }
  return undefined
}

async function entriesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

async function aliveHolder(folder: string, name: string): Promise<Holder | undefined> {
  const claim = await readJson(join(folder, `${name}.json`))
  if (claim === undefined) return undefined // withdrawn just now
  if (await accepts(folder, name)) return { pid: Number(claim['pid']) }
  await rm(join(folder, `${name}.json`), { force: true })
  await rm(join(folder, `${name}.sock`), { force: true })
  return undefined
}

/** A socket or temporary file without its claim: left by a crash unless it is only just being made. */
async function clearStray(path: string): Promise<void> {
  const age = await stat(path).then(
    (found) => Date.now() - found.mtimeMs,
    () => 0,
  )
  if (age > strayAfterMs) await rm(path, { force: true })
}

async function accepts(folder: string, name: string): Promise<boolean> {
  const address = await socketAddress(folder, name)
  try {
    return await new Promise<boolean>((resolve) => {
      const socket = connect(address.path)
      socket.once('connect', () => resolve(socket.destroy() !== undefined))
      // Any other error (no permission, full backlog) means that somebody is there.
      socket.once('error', (error) =>
        resolve(!('code' in error && (error.code === 'ECONNREFUSED' || error.code === 'ENOENT'))),
      )
    })
  } finally {
    await address.close()
  }
}

interface SocketAddress {
  path: string
  close(): Promise<void>
}

/** The path of a socket, by way of a descriptor of its folder where the plain path is too long for the kernel. */
async function socketAddress(folder: string, name: string): Promise<SocketAddress> {
  const path = join(folder, `${name}.sock`)
  if (Buffer.byteLength(path) <= maxSocketPath) return { path, close: async () => {} }
  if (process.platform !== 'linux') {
    throw new PlatformError('POSTGRES_START_FAILED', `the path ${folder} is too long for a socket`, {
      hint: 'Choose a shorter folder with MILLRACE_DIR.',
    })
  }
  const handle = await open(folder, 'r')
  return { path: `/proc/self/fd/${handle.fd}/${name}.sock`, close: () => handle.close() }
}
