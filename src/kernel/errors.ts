/**
 * Every error a user can meet. Codes are never reused. `retryable` says whether the same call may succeed later without
 * a change; `status` is the HTTP status when the error leaves through the gateway; `hint` says how to mend it.
 */
export const errorCatalog = {
  OPTION_UNKNOWN: { retryable: false, status: 500, hint: 'Fix the spelling or remove it.' },
  OPTION_INVALID: { retryable: false, status: 500, hint: 'Use a value of the documented shape.' },
  NAME_INVALID: { retryable: false, status: 500, hint: 'Use lower-case words joined by dashes or dots.' },
  NAME_TAKEN: { retryable: false, status: 500, hint: 'Give each declaration of one kind its own name.' },
  SCHEMA_UNSUPPORTED: { retryable: false, status: 500, hint: 'Use `t` from millrace or a Standard Schema value.' },
  INPUT_INVALID: { retryable: false, status: 400, hint: 'Correct the fields named in `issues`.' },
  INPUT_MALFORMED: { retryable: false, status: 400, hint: 'Send well-formed JSON.' },
  INPUT_TOO_LARGE: { retryable: false, status: 413, hint: 'Send less, or raise the limit of the route.' },
  NOT_FOUND: { retryable: false, status: 404, hint: 'Check the address or the identifier.' },
  UNAUTHENTICATED: { retryable: false, status: 401, hint: 'Sign in first.' },
  FORBIDDEN: { retryable: false, status: 403, hint: 'Ask for the right to do this.' },
  METHOD_NOT_ALLOWED: { retryable: false, status: 405, hint: 'Use a method that the `allow` header names.' },
  MEDIA_TYPE_UNSUPPORTED: { retryable: false, status: 415, hint: 'Send JSON with content-type: application/json.' },
  REQUEST_TIMEOUT: { retryable: true, status: 408, hint: 'Send the whole request faster.' },
  REQUEST_HEADERS_TOO_LARGE: { retryable: false, status: 431, hint: 'Send fewer or shorter headers.' },
  HOST_REFUSED: {
    retryable: false,
    status: 421,
    hint: 'Open the console by a loopback address, or allow this host name.',
  },
  OVERLOADED: { retryable: true, status: 503, hint: 'Try again in a moment.' },
  RESPONSE_INVALID: { retryable: false, status: 500, hint: 'Return what the `response` schema of the route says.' },
  ROUTE_INVALID: { retryable: false, status: 500, hint: "Write a route as 'GET /films/:id'." },
  LISTEN_FAILED: { retryable: false, status: 500, hint: 'Choose another port or host, or stop what holds it.' },
  EVENT_UNKNOWN: { retryable: false, status: 500, hint: 'Declare the event among those of the stream.' },
  STREAM_CONFLICT: {
    retryable: true,
    status: 409,
    hint: 'Somebody appended meanwhile: read the stream again and decide anew, or use `update`, which does.',
  },
  CONFLICT: { retryable: true, status: 409, hint: 'Look at the present state and decide again.' },
  APP_NOT_RUNNING: { retryable: true, status: 503, hint: 'Start the app, or call this from inside it.' },
  APP_AMBIGUOUS: {
    retryable: false,
    status: 500,
    hint: 'Several apps run in this process: call through the running app.',
  },
  APP_CONFLICT: { retryable: true, status: 500, hint: 'Give each app a database of its own, or stop the other one.' },
  APP_INVALID: { retryable: false, status: 500, hint: 'Export the value of `app(...)` as default.' },
  STORE_UNREACHABLE: { retryable: true, status: 503, hint: 'Check that Postgres runs and that the address is right.' },
  STORE_UNSUITABLE: { retryable: false, status: 500, hint: 'Run the command named in the message.' },
  MIGRATION_CHANGED: { retryable: false, status: 500, hint: 'Restore the released file and add a new migration.' },
  MIGRATION_UNKNOWN: { retryable: false, status: 500, hint: 'This database was used by a newer version: upgrade.' },
  TRANSACTION_ABORTED: {
    retryable: true,
    status: 500,
    hint: 'Let errors of statements out, or set a savepoint before a statement that may fail.',
  },
  TRANSACTION_ENDED: {
    retryable: false,
    status: 500,
    hint: 'Await everything before the handler returns, and stop when its signal aborts.',
  },
  LEASE_LOST: { retryable: true, status: 503, hint: 'Another process took over; nothing is lost.' },
  PUBLISH_BLOCKED: { retryable: true, status: 503, hint: 'End the other transaction, or try again.' },
  JOB_BLOCKED: { retryable: true, status: 503, hint: 'End the other transaction, or try again.' },
  JOB_FAILED: { retryable: false, status: 500, hint: 'Look at the cause; the job can be tried again by hand.' },
  JOB_CANCELLED: { retryable: false, status: 409, hint: 'Add it again if it is still wanted.' },
  LOG_EPOCH_CHANGED: {
    retryable: false,
    status: 500,
    hint: 'The database was restored: run `select millrace.continue_after_restore()`, see docs/operating.',
  },
  POSTGRES_MISSING: {
    retryable: false,
    status: 500,
    hint: 'Run npm install without --omit=optional, or set DATABASE_URL.',
  },
  POSTGRES_START_FAILED: { retryable: false, status: 500, hint: 'Read the log named in the message.' },
  POSTGRES_NOT_RUNNING: { retryable: true, status: 503, hint: 'Start the app in this folder first.' },
  POSTGRES_HELD: {
    retryable: true,
    status: 500,
    hint: 'Stop the process named in the message, or use another folder.',
  },
  POSTGRES_DATA_OUTDATED: { retryable: false, status: 500, hint: 'Move the folder away, or upgrade the data first.' },
  POSTGRES_DISK: { retryable: true, status: 500, hint: 'Free some space or make the folder writable.' },
  TABLE_MISMATCH: { retryable: false, status: 500, hint: 'Correct the declaration or alter the table.' },
  TABLE_KEYLESS: { retryable: false, status: 500, hint: 'Add a primary key to the table.' },
  CAPTURE_DIVERGED: {
    retryable: false,
    status: 500,
    hint: 'The replication slot and the log disagree: see docs/operating.',
  },
  CAPTURE_FAILED: { retryable: true, status: 503, hint: 'Capture goes on from where it stood once the cause is gone.' },
  EVENT_NEWER: {
    retryable: true,
    status: 503,
    hint: 'Finish the deployment: processes with the newer code can read it.',
  },
  EVENT_UPCAST_FAILED: { retryable: false, status: 500, hint: 'Correct the upcaster of the event and redrive.' },
  CONTRACT_BREAKING: {
    retryable: false,
    status: 500,
    hint: 'Raise the version of the event and give an upcaster, or set its compatibility.',
  },
  HANDLER_FAILED: { retryable: true, status: 500, hint: 'Look at the cause.' },
  HANDLER_TIMEOUT: {
    retryable: true,
    status: 500,
    hint: 'Raise the timeout of the consumer or make the work smaller.',
  },
  HANDLER_KILLED: {
    retryable: false,
    status: 500,
    hint: 'Look for what ends the process: memory, a native module, process.exit. Then redrive the event.',
  },
  LOAD_FAILED: { retryable: true, status: 503, hint: 'Look at the cause.' },
  SEARCH_INVALID: { retryable: false, status: 400, hint: 'Use fields that the index declares.' },
  SEARCH_OUTDATED: {
    retryable: true,
    status: 503,
    hint: 'Another process runs a newer definition of the index: stop this one, or start it anew.',
  },
  FAULT_INJECTED: { retryable: true, status: 500, hint: 'A test asked for this failure.' },
  INTERNAL: { retryable: true, status: 500, hint: 'This is a defect in Millrace: report it with the log.' },
} as const

export type ErrorCode = keyof typeof errorCatalog

/** One thing wrong with one place of an input. `path` is a JSON Pointer (RFC 6901); '' is the whole. */
export interface Issue {
  path: string
  message: string
}

export interface PlatformErrorOptions {
  cause?: unknown
  issues?: readonly Issue[]
  /** Overrides the hint of the catalogue where more is known. */
  hint?: string
}

/** The one error class. `message` says what and where; `hint` how to mend; `cause` keeps the origin. */
export class PlatformError extends Error {
  override readonly name = 'PlatformError'
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly status: number
  readonly hint: string
  readonly issues: readonly Issue[]

  constructor(code: ErrorCode, message: string, options: PlatformErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    const entry = errorCatalog[code]
    this.code = code
    this.retryable = entry.retryable
    this.status = entry.status
    this.hint = options.hint ?? entry.hint
    this.issues = options.issues ?? []
  }
}

/** What is kept of an error in the database and shown to people. */
export interface ErrorRecord {
  code: string
  message: string
  stack?: string
}

export function errorRecord(error: unknown): ErrorRecord {
  if (!(error instanceof Error)) return { code: 'UNKNOWN', message: String(error) }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  return { code, message: error.message, ...(error.stack === undefined ? {} : { stack: error.stack }) }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
