import { isAbsolute } from 'node:path'
import { PlatformError } from '../../kernel/errors.ts'
import { type Logger, silentLogger } from '../../kernel/logger.ts'
import { resolveOptions } from '../../kernel/options.ts'
import { prepareBinaries } from './_binaries.ts'
import { fileFailure } from './_failure.ts'
import { sweepUnfinished } from './_files.ts'
import { type FolderLock, holdFolder } from './_folder-lock.ts'
import { makeDirectory, settleHome } from './_home.ts'
import { initialise } from './_initialise.ts'
import { endLeftovers } from './_leftovers.ts'
import { type LogFile, openLogFile } from './_log-file.ts'
import { newPassword, readPassword, resetPassword } from './_password.ts'
import { choosePort, isFree } from './_port.ts'
import { socketUrlOf, urlOf } from './_ready.ts'
import { type RunningServer, type ServerPlan, startServer } from './_server.ts'
import type { Settings } from './_settings.ts'
import { readState, writeState } from './_state.ts'
import { type Restart, Supervisor } from './_supervise.ts'

export interface EmbeddedPostgresOptions {
  /** Absolute; usually `.millrace`. Made when missing. The data lies in `postgres` inside. */
  directory: string
  logger?: Logger
  /** More settings of Postgres; they win over ours, except for address, port and log. */
  settings?: Settings
  /** Made when missing. @default 'millrace' */
  database?: string
  /** For tests: gives up surviving a crash of the machine, not of the process. @default false */
  fast?: boolean
  /** Gives up opening. Afterwards use `close`. */
  signal?: AbortSignal
  /** Called when Postgres had ended by itself and answers again. */
  onRestart?: (restart: Restart) => void
}

export interface EmbeddedPostgres {
  /** `postgres://…` with the password: do not log it. */
  readonly url: string
  /** The same by way of a Unix socket, which is faster; `undefined` where the path of the folder is too long for one. */
  readonly socketUrl: string | undefined
  /** Of Postgres, such as `18.4`. */
  readonly version: string
  readonly port: number
  /** The folder that was opened, with links resolved. */
  readonly directory: string
  /** Whether the data was created now. */
  readonly firstStart: boolean
  /** Stops Postgres in order, within 5 s, and lets the folder go. */
  close(): Promise<void>
}

/**
 * Runs a Postgres of our own in a folder, on the loopback address only, until `close` or until this process ends,
 * however it ends. Postgres is started again when it ends by itself. One process holds a folder at a time.
 *
 * Throws POSTGRES_HELD, POSTGRES_MISSING, POSTGRES_DATA_OUTDATED, POSTGRES_DISK or POSTGRES_START_FAILED.
 */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const resolved = resolveOptions('the embedded Postgres', defaults, options)
  if (!isAbsolute(resolved.directory)) {
    throw new PlatformError(
      'OPTION_INVALID',
      `the directory "${resolved.directory}" of the embedded Postgres is not absolute`,
    )
  }
  const opened = new Opened()
  try {
    return await open(resolved, opened)
  } catch (error) {
    await opened.close()
    throw fileFailure(error, resolved.directory)
  }
}

type Resolved = Required<EmbeddedPostgresOptions>

const defaults: Resolved = {
  directory: '',
  logger: silentLogger,
  settings: {},
  database: 'millrace',
  fast: false,
  signal: new AbortController().signal,
  onRestart() {},
}

async function open(options: Resolved, opened: Opened): Promise<EmbeddedPostgres> {
  const { logger, fast, settings, signal } = options
  const directory = await makeDirectory(options.directory)
  opened.lock = await holdFolder(directory)
  await sweepUnfinished(directory)
  opened.log = await openLogFile(directory)
  const { log } = opened
  const home = await settleHome(directory, logger)
  if (home.place !== directory) await sweepUnfinished(home.place)
  const binaries = await prepareBinaries(home)
  await endLeftovers(home.data, logger)
  signal.throwIfAborted()

  const known = await readPassword(directory)
  const password = known ?? (await newPassword(directory))
  const firstStart = await initialise({ home, binaries, log, password, fast })
  if (!firstStart && known === undefined) await resetPassword(home, binaries, password)

  const plan = {
    home,
    binaries,
    log,
    settings,
    fast,
    logger,
    address: { port: 0, password, database: options.database },
  }
  const server = await startOnFreePort(plan, directory, signal)
  const supervisor = new Supervisor(server, plan, options.onRestart)
  opened.server = supervisor
  const { port } = plan.address
  await writeState(directory, { pid: process.pid, port, database: options.database, version: server.version })
  const socketUrl = socketUrlOf(plan.address, home.data)
  return {
    url: urlOf(plan.address),
    socketUrl,
    version: server.version,
    port,
    directory,
    firstStart,
    close: () => opened.close(),
  }
}

const portAttempts = 5

/** The port may be taken between our look and Postgres' own: then another one serves. */
async function startOnFreePort(plan: ServerPlan, directory: string, signal: AbortSignal): Promise<RunningServer> {
  let remembered = (await readState(directory))?.port
  for (let attempt = 1; ; attempt += 1) {
    plan.address.port = await choosePort(directory, remembered)
    try {
      return await startServer(plan, signal)
    } catch (error) {
      if (attempt === portAttempts || signal.aborted || (await isFree(plan.address.port))) throw error
      remembered = undefined
    }
  }
}

/** What has been opened so far, closed in reverse. */
class Opened {
  lock: FolderLock | undefined
  log: LogFile | undefined
  server: { stop(): Promise<void> } | undefined
  #closing: Promise<void> | undefined

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    try {
      await this.server?.stop()
      await this.log?.close()
    } finally {
      await this.lock?.release()
    }
  }
}
