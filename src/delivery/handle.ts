import type { Publish } from '../events/publish.ts'
import type { LogRecord } from '../events/record.ts'
import { selectTypes } from '../events/selection.ts'
import { PlatformError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import type { Sql } from '../store/sql.ts'
import { type Attempt, HandlerFailure } from './attempt.ts'
import { inAbortedTransaction } from './blame.ts'
import type { ConsumerSpec } from './consumer-spec.ts'
import { type ConsumerDefinition, type Handler, type HandlerContext, typeOf } from './on.ts'

/** What the loop needs to run a consumer that an app declared with `on`. */
export function specOf(definition: ConsumerDefinition, log: Logger, replay: string | null = null): ConsumerSpec {
  const { name, source, options, handler } = definition
  const lane = { handler, log, timeoutMs: options.timeoutMs, name, replay }
  return {
    ...options,
    name,
    selection: selectTypes([typeOf(source)]),
    matches:
      source.kind === 'changes' && source.columns.length > 0 ? (record) => touches(record, source.columns) : () => true,
    handle: (records, attempt) =>
      options.concurrency === 1
        ? handleInOrder(lane, records, attempt)
        : handleByKey(lane, records, attempt, options.concurrency),
  }
}

interface Lane {
  name: string
  handler: Handler<unknown>
  log: Logger
  timeoutMs: number
  /** The id of the replay that the lane belongs to. */
  replay: string | null
}

/** One after another. A handler that returns no promise costs none. */
async function handleInOrder(lane: Lane, records: readonly LogRecord[], attempt: Attempt): Promise<void> {
  for (const record of records) {
    const context = new Context(record, attempt, lane)
    try {
      const result = lane.handler(context)
      if (isThenable(result)) await inTime(result, lane, context)
    } catch (cause) {
      throw new HandlerFailure(record, cause)
    }
  }
}

/** Keys side by side, each in order. */
async function handleByKey(
  lane: Lane,
  records: readonly LogRecord[],
  attempt: Attempt,
  concurrency: number,
): Promise<void> {
  const queues = byKey(records)
  const worker = async (): Promise<void> => {
    for (let queue = queues.shift(); queue !== undefined; queue = queues.shift())
      await handleInOrder(lane, queue, attempt)
  }
  const workers = Array.from({ length: Math.min(concurrency, queues.length) }, worker)
  // All must have stopped before the attempt is rolled back under them.
  const outcomes = await Promise.allSettled(workers)
  const failures = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [outcome.reason as HandlerFailure] : [],
  )
  // Once a statement has failed, Postgres refuses those of all the others: they are not to blame.
  if (failures.length > 0) throw failures.find(({ cause }) => !inAbortedTransaction(cause)) ?? failures[0]
}

function byKey(records: readonly LogRecord[]): LogRecord[][] {
  const queues = new Map<string | number, LogRecord[]>()
  for (const record of records) {
    const key = record.key ?? record.position
    const queue = queues.get(key)
    if (queue === undefined) queues.set(key, [record])
    else queue.push(record)
  }
  return [...queues.values()]
}

/** Promises, and what query builders return in their place. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

async function inTime(work: PromiseLike<unknown>, { timeoutMs, name }: Lane, context: Context): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new PlatformError('HANDLER_TIMEOUT', `${name} took longer than ${timeoutMs} ms`)
      context.endTime(error)
      reject(error)
    }, timeoutMs)
  })
  try {
    await Promise.race([work, late, context.broken])
  } finally {
    clearTimeout(timer)
  }
}

function touches(record: LogRecord, columns: readonly string[]): boolean {
  const change = JSON.parse(record.data) as {
    op: string
    row: Record<string, unknown> | null
    before: Record<string, unknown> | null
  }
  const { op, row, before } = change
  if (op !== 'update' || row === null || before === null) return false
  return columns.some((column) => column in row && JSON.stringify(row[column]) !== JSON.stringify(before[column]))
}

/** Made per event, so everything that can wait is a getter. */
class Context implements HandlerContext<unknown> {
  readonly #record: LogRecord
  readonly #attempt: Attempt
  readonly #lane: Lane
  #data: unknown
  #ending: AbortController | undefined
  #signal: AbortSignal | undefined

  constructor(record: LogRecord, attempt: Attempt, lane: Lane) {
    this.#record = record
    this.#attempt = attempt
    this.#lane = lane
  }

  get log(): Logger {
    return this.#lane.log
  }
  get replay(): string | null {
    return this.#lane.replay
  }

  get data(): unknown {
    this.#data ??= JSON.parse(this.#record.data)
    return this.#data
  }
  get id(): string {
    return this.#record.id
  }
  get type(): string {
    return this.#record.type
  }
  get key(): string | null {
    return this.#record.key
  }
  get position(): number {
    return this.#record.position
  }
  get at(): Date {
    return new Date(this.#record.at)
  }
  get attempt(): number {
    return this.#attempt.number
  }
  get sql(): Sql {
    return this.#attempt.sql
  }
  get publish(): Publish {
    return this.#attempt.publishFrom(this.#record)
  }
  get signal(): AbortSignal {
    this.#ending ??= new AbortController()
    this.#signal ??= AbortSignal.any([this.#attempt.signal, this.#ending.signal])
    return this.#signal
  }
  get broken(): Promise<never> {
    return this.#attempt.broken
  }

  endTime(reason: PlatformError): void {
    this.#ending ??= new AbortController()
    this.#ending.abort(reason)
  }
}
