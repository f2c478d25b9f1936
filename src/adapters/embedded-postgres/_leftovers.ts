import { execFile } from 'node:child_process'
import { readdir, readlink, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { PlatformError } from '../../kernel/errors.ts'
import type { Logger } from '../../kernel/logger.ts'
import { readIfThere } from './_files.ts'

const run = promisify(execFile)
const pollMs = 20

/** In order: in order, without a checkpoint, at once. */
const stages = [
  { signal: 'SIGINT', waitMs: 5000 },
  { signal: 'SIGQUIT', waitMs: 1500 },
  { signal: 'SIGKILL', waitMs: 5000 },
] as const

/**
 * Ends what a former start left running on this data: a server whose guardian was killed too, or processes whose
 * server was killed. Then removes `postmaster.pid` and sockets, whose process id may belong to a stranger by now. Only
 * the holder of the folder may call this.
 */
export async function endLeftovers(data: string, logger: Logger): Promise<void> {
  const file = join(data, 'postmaster.pid')
  const text = await readIfThere(file)
  if (text === undefined) return
  const server = Number(text.split('\n')[0])
  for (const { signal, waitMs } of stages) {
    const pids = await processesOn(data, server)
    if (pids.length === 0) break
    logger.warn({ pids, signal }, 'ending a Postgres left by an earlier start')
    // A server stops its own processes; without it each has to be told.
    const targets = signal !== 'SIGKILL' && pids.includes(server) ? [server] : pids
    for (const pid of targets) sendSignal(pid, signal)
    await gone(pids, data, signal === 'SIGINT' && !pids.includes(server) ? 0 : waitMs)
  }
  const pids = await processesOn(data, server)
  if (pids.length > 0) {
    throw new PlatformError(
      'POSTGRES_START_FAILED',
      `an earlier Postgres on ${data} does not end (process ${pids.join(', ')})`,
    )
  }
  await rm(file, { force: true })
  await removeSockets(data)
}

/** Their lock files name a process id as well. */
async function removeSockets(data: string): Promise<void> {
  for (const entry of await readdir(data)) {
    if (entry.startsWith('.s.PGSQL.')) await rm(join(data, entry), { force: true })
  }
}

/** Kills what is left of a server that has died. */
export async function killLeftovers(data: string, server: number): Promise<void> {
  const pids = await processesOn(data, server)
  for (const pid of pids) sendSignal(pid, 'SIGKILL')
  await gone(pids, data, 5000)
}

/** Every process of Postgres changes into its data folder and nowhere else. */
async function processesOn(data: string, server: number): Promise<number[]> {
  if (process.platform !== 'linux') return await listed(data, server)
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))
  const found = await Promise.all(pids.map(async (pid) => ((await worksOn(pid, data)) ? Number(pid) : undefined)))
  return found.filter((pid) => pid !== undefined)
}

async function worksOn(pid: string, data: string): Promise<boolean> {
  try {
    if ((await readlink(`/proc/${pid}/cwd`)) !== data) return false
    // Somebody's shell may stand in the folder as well. A program replaced by an upgrade reads "postgres (deleted)".
    return basename(await readlink(`/proc/${pid}/exe`)).startsWith('postgres')
  } catch {
    return false // ended meanwhile, or another user's
  }
}

/** Without /proc: the server names its data on its command line, and its processes are its children. */
async function listed(data: string, server: number): Promise<number[]> {
  const { stdout } = await run('ps', ['-axo', 'pid=,ppid=,command='])
  const rows = stdout
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .filter((row) => row !== null)
  const alive = rows.some((row) => Number(row[1]) === server && row[3]?.includes(data) === true)
  return alive
    ? rows.filter((row) => Number(row[1]) === server || Number(row[2]) === server).map((row) => Number(row[1]))
    : []
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

async function gone(pids: readonly number[], data: string, waitMs: number): Promise<void> {
  const deadline = Date.now() + waitMs
  while (Date.now() < deadline && (await anyAlive(pids, data))) await sleep(pollMs)
}

/** A process that ended but was not yet reaped (a container without init never does) counts as gone. */
async function anyAlive(pids: readonly number[], data: string): Promise<boolean> {
  for (const pid of pids) {
    if (process.platform === 'linux' ? await worksOn(String(pid), data) : exists(pid)) return true
  }
  return false
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
