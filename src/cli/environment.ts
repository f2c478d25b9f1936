import { resolve } from 'node:path'
import { UsageError } from './usage-error.ts'

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** What the environment says, checked. Nothing else reads it. */
export interface Environment {
  /** 0 takes a free one. */
  readonly port: number
  /** `undefined` is the loopback address. */
  readonly host: string | undefined
  /** `postgres://…`; holds a password. `undefined`: our own Postgres. */
  readonly databaseUrl: string | undefined
  /** The Postgres behind a pooler in DATABASE_URL. */
  readonly directUrl: string | undefined
  readonly consoleToken: string | undefined
  /** `undefined` where nobody chose one. */
  readonly logLevel: LogLevel | undefined
  /** NO_COLOR is set to something (no-color.org), or the terminal cannot. */
  readonly plain: boolean
  /** Where the app of a folder keeps its data, as an absolute path. */
  directoryOf(appFolder: string): string
}

/** Throws UsageError for a value that cannot be meant. An empty variable counts as absent. */
export function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  const read = (name: string): string | undefined => (env[name] === '' ? undefined : env[name])
  const directory = read('MILLRACE_DIR')
  return {
    port: readPort(read('PORT') ?? '4400', 'PORT'),
    host: read('HOST'),
    databaseUrl: readDatabaseUrl(read('DATABASE_URL'), 'DATABASE_URL'),
    directUrl: readDatabaseUrl(read('DIRECT_URL'), 'DIRECT_URL'),
    consoleToken: readToken(read('MILLRACE_CONSOLE_TOKEN')),
    logLevel: readLogLevel(read('LOG_LEVEL')),
    plain: read('NO_COLOR') !== undefined || read('TERM') === 'dumb',
    directoryOf: (appFolder) => resolve(directory ?? resolve(appFolder, '.millrace')),
  }
}

/** @param name of the variable or flag, for the message */
export function readPort(text: string, name: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new UsageError(`${name} is "${text}", which is no port`, 'Use a number from 0 to 65535; 0 takes a free one.')
}

function readDatabaseUrl(text: string | undefined, name: string): string | undefined {
  if (text === undefined || (URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol))) return text
  // The value is not shown: it may hold a password.
  throw new UsageError(`${name} is no address of a Postgres`, 'Write it as postgres://user:password@host:5432/name.')
}

function readToken(text: string | undefined): string | undefined {
  if (text === undefined || text.length >= 16) return text
  throw new UsageError(
    'MILLRACE_CONSOLE_TOKEN is too short',
    'Use at least 16 characters, such as `openssl rand -hex 24`.',
  )
}

function readLogLevel(text: string | undefined): LogLevel | undefined {
  const level = logLevels.find((known) => known === text?.toLowerCase())
  if (text === undefined || level !== undefined) return level
  throw new UsageError(`LOG_LEVEL is "${text}"`, `Use one of ${logLevels.join(', ')}.`)
}
