import type { LogRecord } from '../events/record.ts'
import { PlatformError } from '../kernel/errors.ts'
import { sqlState } from '../store/store.ts'
import { HandlerFailure } from './attempt.ts'

/** Whose fault a failed try was: one record's, or somebody's of the batch, which has to be tried one by one to tell. */
export type Blame = HandlerFailure | 'unclear'

/**
 * Judges what came out of handlers. One record alone takes the blame for whatever its handling threw.
 * @throws the cause when the store is at fault or the app stops
 */
export function blameHandlers(error: unknown, records: readonly LogRecord[], signal: AbortSignal): Blame {
  const cause = error instanceof HandlerFailure ? error.cause : error
  if (signal.aborted || isStoreFailure(cause)) throw cause
  // The statement that failed may have been an earlier record's, whose handler caught the error.
  if (error instanceof HandlerFailure && !inAbortedTransaction(cause)) return error
  return blameOnly(records, cause)
}

/**
 * Judges what came out of the commit of handlers' work: Postgres may refuse it only then.
 * @throws the error when it is not what the handlers wrote that was refused
 */
export function blameCommit(error: unknown, records: readonly LogRecord[]): Blame {
  if (records.length === 0 || !isRefusal(error)) throw error
  return blameOnly(records, error)
}

/** Every statement after one that failed is refused with 25P02. */
export function inAbortedTransaction(error: unknown): boolean {
  return sqlState(error) === '25P02'
}

function blameOnly(records: readonly LogRecord[], error: unknown): Blame {
  const [only] = records
  if (records.length !== 1 || only === undefined) return 'unclear'
  if (!inAbortedTransaction(error)) return new HandlerFailure(only, error)
  const message = 'a statement of the handler failed, its error was caught, and the handler went on'
  return new HandlerFailure(only, new PlatformError('TRANSACTION_ABORTED', message, { cause: error }))
}

/** The connection or the server went away: nobody's handler is to blame (PostgreSQL manual, appendix A, classes 08, 57). */
function isStoreFailure(error: unknown): boolean {
  if (error instanceof PlatformError) return error.code === 'STORE_UNREACHABLE' || error.code === 'LEASE_LOST'
  const state = sqlState(error)
  if (state !== undefined) return state.startsWith('08') || state.startsWith('57P') || state === '25006'
  return error instanceof Error && /Connection terminated|ECONNRESET|ECONNREFUSED|not queryable/.test(error.message)
}

/** Classes of SQLSTATE that tell of conflicts, lack of resources and the server itself, not of what was written. */
const passing = ['08', '40', '53', '55', '57', '58', 'XX']

function isRefusal(error: unknown): boolean {
  if (error instanceof PlatformError) return error.code === 'TRANSACTION_ABORTED'
  const state = sqlState(error)
  return state !== undefined && !passing.includes(state.slice(0, 2))
}
