import type { LogRecord } from '../events/record.ts'
import { PlatformError } from '../kernel/errors.ts'
import { type Attempt, HandlerFailure } from './attempt.ts'
import { inAbortedTransaction } from './blame.ts'
import { Batch, Context, type Lane, type TimedWork } from './context.ts'
import type { BatchHandler, ConsumedEvent, Handler } from './handler.ts'

/** Handles single events. */
export interface SingleLane extends Lane {
  readonly handler: Handler<unknown>
  readonly choose: ((event: ConsumedEvent) => boolean) | undefined
}

/** One after another. A handler that returns no promise costs none. */
export async function handleInOrder(lane: SingleLane, records: readonly LogRecord[], attempt: Attempt): Promise<void> {
  const { handler, choose } = lane
  for (const record of records) {
    const context = new Context(record, attempt, lane)
    try {
      if (choose !== undefined && !choose(context)) continue
      const result = handler(context)
      if (isThenable(result)) await inTime(result, lane, context)
    } catch (cause) {
      throw new HandlerFailure(record, cause)
    }
  }
}

/** Keys side by side, each in order. */
export async function handleByKey(
  lane: SingleLane,
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

/** Handles many events in one call. */
export interface BatchLane extends Lane {
  readonly handler: BatchHandler
  readonly choose: SingleLane['choose']
}

/** All in one call. What it throws is nobody's fault in particular unless it says whose. */
export async function handleBatch(lane: BatchLane, records: readonly LogRecord[], attempt: Attempt): Promise<void> {
  const [first, ...others] =
    lane.choose === undefined ? records : records.filter((record) => chosen(lane, record, attempt))
  if (first === undefined) return
  const batch = new Batch([first, ...others], attempt, lane)
  try {
    const result = lane.handler(batch)
    if (isThenable(result)) await inTime(result, lane, batch)
  } catch (error) {
    throw batch.failure ?? error
  }
  if (batch.failure !== undefined) throw batch.failure
}

function chosen(lane: BatchLane, record: LogRecord, attempt: Attempt): boolean {
  try {
    return lane.choose?.(new Context(record, attempt, lane)) ?? true
  } catch (cause) {
    throw new HandlerFailure(record, cause)
  }
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

async function inTime(work: PromiseLike<unknown>, { timeoutMs, name }: Lane, timed: TimedWork): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new PlatformError('HANDLER_TIMEOUT', `${name} took longer than ${timeoutMs} ms`)
      timed.endTime(error)
      reject(error)
    }, timeoutMs)
  })
  try {
    await Promise.race([work, late, timed.broken])
  } finally {
    clearTimeout(timer)
  }
}
