import type { LogRecord } from '../events/record.ts'
import { type Selection, select } from '../events/selection.ts'
import type { Logger } from '../kernel/logger.ts'
import type { ConsumerSpec } from './consumer-spec.ts'
import { Consumed, type Lane } from './context.ts'
import { handleBatch, handleByKey, handleInOrder } from './handle.ts'
import type { BatchHandler, Handler } from './handler.ts'
import type { ConsumerDefinition } from './on.ts'
import type { ResolvedOnOptions } from './on-options.ts'
import { type FollowedSource, nameOf } from './source.ts'

/** What the loop needs to run a consumer that an app declared with `on`. */
export function specOf(definition: ConsumerDefinition, log: Logger, replay: string | null = null): ConsumerSpec {
  const { name, sources, options, handler } = definition
  const { start, onFailure, rate, batch, attempts, backoff, maxAgeMs, concurrency, choose, fallback } = options
  const read = readerOf(sources)
  const lane: Lane = { name, log, timeoutMs: options.timeoutMs, replay, read }
  const single = { ...lane, choose, handler: handler as Handler<unknown> }
  const many = { ...lane, choose, handler: handler as BatchHandler }
  const handle: ConsumerSpec['handle'] =
    batch !== undefined
      ? (records, attempt) => handleBatch(many, records, attempt)
      : concurrency === 1
        ? (records, attempt) => handleInOrder(single, records, attempt)
        : (records, attempt) => handleByKey(single, records, attempt, concurrency)
  // A replay goes at its own rate and has its own word on failures.
  const own = replay === null ? { onFailure, rate } : { onFailure: 'pause-key' as const, rate: undefined }
  return {
    ...{ name, start, ...own, batch, attempts, backoff, maxAgeMs, handle },
    selection: selectionOf(sources, options),
    matches: matcherOf(sources, choose, read),
    fallback:
      fallback &&
      ((record, attempt, error) => {
        const handler: Handler<unknown> = (context) => fallback(context as never, error)
        return handleInOrder({ ...lane, choose: undefined, handler }, [record], attempt)
      }),
  }
}

function selectionOf(sources: readonly FollowedSource[], { filter }: ResolvedOnOptions): Selection {
  const patterns = sources.flatMap((source) => (source.kind === 'pattern' ? [source.pattern] : []))
  const types = sources.filter(({ kind }) => kind !== 'pattern').map(nameOf)
  return select({ types, patterns, filter })
}

function readerOf(sources: readonly FollowedSource[]): Lane['read'] {
  const [only] = sources
  if (sources.length === 1 && only?.kind === 'event') return (record) => only.read(record)
  const events = new Map(sources.flatMap((source) => (source.kind === 'event' ? [[source.name, source] as const] : [])))
  return (record) => {
    const known = events.get(record.type)
    return known === undefined ? JSON.parse(record.data) : known.read(record)
  }
}

const every = (): boolean => true

function matcherOf(
  sources: readonly FollowedSource[],
  choose: ResolvedOnOptions['choose'],
  read: Lane['read'],
): ConsumerSpec['matches'] {
  const columns = new Map(
    sources.flatMap((source) =>
      source.kind === 'changes' && source.columns.length > 0
        ? [[source.table.changeType, source.columns] as const]
        : [],
    ),
  )
  if (columns.size === 0 && choose === undefined) return every
  return (record) => {
    const wanted = columns.get(record.type)
    if (wanted !== undefined && !touches(record, wanted)) return false
    return choose === undefined || isChosen(choose, new Consumed(record, read))
  }
}

/** One that cannot be judged goes to the handler, where the error becomes its own. */
function isChosen(choose: NonNullable<ResolvedOnOptions['choose']>, event: Consumed): boolean {
  try {
    return choose(event)
  } catch {
    return true
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
