import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, PlatformError } from '../../kernel/errors.ts'
import type { Logger } from '../../kernel/logger.ts'
import type { Binaries } from './_binaries.ts'
import { serverFailure, spawnFailure } from './_failure.ts'
import { type GuardedProcess, startGuarded } from './_guarded-process.ts'
import type { Home } from './_home.ts'
import { killLeftovers } from './_leftovers.ts'
import type { LogFile } from './_log-file.ts'
import { type Address, socketFolderOf, whenReady } from './_ready.ts'
import { type Settings, serverSettings, settingArguments } from './_settings.ts'

/** Together under the 5 s that a stop may take. */
const fastStopMs = 3000
const immediateStopMs = 1000

export interface ServerPlan {
  home: Home
  binaries: Binaries
  log: LogFile
  address: Address
  settings: Settings
  fast: boolean
  logger: Logger
}

export interface RunningServer {
  process: GuardedProcess
  version: string
}

/** Starts Postgres and waits until it answers, through recovery if need be. What it started it stops when that fails. */
export async function startServer(plan: ServerPlan, signal: AbortSignal): Promise<RunningServer> {
  const { home, binaries, log, address } = plan
  const listen = { port: address.port, socketFolder: socketFolderOf(address.port, home.data) }
  await log.mark()
  const process = await startGuarded({
    program: binaries.postgres,
    args: ['-D', home.data, ...settingArguments(serverSettings(listen, plan.settings, plan.fast))],
    account: home.account,
    cwd: home.place,
    outputFd: log.fd,
  })
  try {
    const version = await whenReady(address, home.data, () => process.running, signal)
    if (version === undefined) throw await startFailure(plan, process)
    process.unref()
    return { process, version }
  } catch (error) {
    await stopServer(process, plan)
    if (error instanceof PlatformError || signal.aborted) throw error
    throw await serverFailure('Postgres does not serve', messageOf(error), home.data, log.path)
  }
}

/** Ends Postgres in order; a client or a disk that does not let it go costs it the order, not us the time. */
export async function stopServer(
  process: GuardedProcess,
  { home, logger }: Pick<ServerPlan, 'home' | 'logger'>,
): Promise<void> {
  process.kill('SIGINT')
  if (await endsWithin(process, fastStopMs)) return
  logger.warn({ pid: process.pid }, 'Postgres does not stop in order; it will recover from its log at the next start')
  process.kill('SIGQUIT')
  if (await endsWithin(process, immediateStopMs)) return
  process.kill('SIGKILL')
  await endsWithin(process, immediateStopMs)
  await killLeftovers(home.data, process.pid)
}

async function endsWithin(process: GuardedProcess, ms: number): Promise<boolean> {
  const timer = new AbortController()
  // The timer also keeps Node alive, which the child does not.
  const late = sleep(ms, false, { signal: timer.signal }).catch(() => true)
  const ended = await Promise.race([process.exited.then(() => true), late])
  timer.abort()
  return ended
}

async function startFailure({ home, binaries, log }: ServerPlan, process: GuardedProcess): Promise<PlatformError> {
  const { code, signal } = await process.exited
  const output = await log.tail()
  if (code === 126 || code === 127) return spawnFailure(binaries.postgres, new Error(output))
  return await serverFailure(
    signal === null ? 'Postgres did not start' : `Postgres ended by ${signal} while it started`,
    output,
    home.data,
    log.path,
  )
}
