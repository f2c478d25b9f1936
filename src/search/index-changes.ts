import { HandlerFailure } from '../delivery/attempt.ts'
import type { Change } from '../events/change.ts'
import type { LogRecord } from '../events/record.ts'
import { messageOf, PlatformError } from '../kernel/errors.ts'
import type { Transaction } from '../store/store.ts'
import type { IndexDefinition } from './index-definition.ts'
import type { LatestChange } from './latest-change.ts'
import { readUnchanged } from './read-unchanged.ts'
import type { FencedDocument, IndexedDocument, SearchEngine } from './search-engine.ts'

export interface IndexTarget {
  readonly definition: IndexDefinition
  readonly engine: SearchEngine
}

/**
 * Brings a stretch of a table's changes into its index, in the transaction that moves the place in the log. The version
 * of a document is the position of its change, so a stretch may come again, or after a later one. Of several changes of
 * one key only the last is made a document.
 * @throws HandlerFailure with the record whose document could not be made
 */
export async function indexChanges(
  { definition, engine }: IndexTarget,
  tx: Transaction,
  records: readonly LogRecord[],
): Promise<void> {
  const { latest, truncatedAt } = latestChanges(records)
  const wholeRow = await readUnchanged(tx, definition.from, latest)
  const batch: FencedDocument[] = []
  for (const entry of latest) {
    const row = wholeRow(entry)
    const made = row === null ? null : makeDocument(definition, entry, row)
    // Most functions return no promise, and then none is waited for.
    const document = made instanceof Promise ? await made : made
    batch.push({ id: entry.id, version: entry.record.position, document })
  }
  if (truncatedAt !== undefined) await engine.truncate(tx, truncatedAt)
  if (batch.length > 0) await engine.apply(tx, batch)
}

function latestChanges(records: readonly LogRecord[]): { latest: LatestChange[]; truncatedAt: number | undefined } {
  const latest = new Map<string, LatestChange>()
  let truncatedAt: number | undefined
  for (const record of records) {
    const { op, key, row, unchanged = [] } = JSON.parse(record.data) as Change
    if (op === 'truncate') {
      latest.clear()
      truncatedAt = record.position
    } else {
      latest.set(key, { id: key, record, row: op === 'delete' ? null : row, unchanged: row === null ? [] : unchanged })
    }
  }
  return { latest: [...latest.values()], truncatedAt }
}

type Made = IndexedDocument | null

function makeDocument(definition: IndexDefinition, entry: LatestChange, row: unknown): Made | Promise<Made> {
  const failed = (cause: unknown): HandlerFailure => failure(definition, entry, cause)
  try {
    const made = definition.documentOf(row)
    if (!(made instanceof Promise)) return checked(made)
    return made.then(checked).catch((cause: unknown) => {
      throw failed(cause)
    })
  } catch (cause) {
    throw failed(cause)
  }
}

/** What is stored is JSON: values of other kinds are written the way JSON writes them, or refused. */
function checked(made: unknown): Made {
  if (made === null || made === undefined) return null
  const document: unknown = JSON.parse(JSON.stringify(made))
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) return document as IndexedDocument
  throw new TypeError(
    `document() must return an object or null, it returned ${Array.isArray(made) ? 'a list' : typeof made}`,
  )
}

function failure({ name, from }: IndexDefinition, { id, record }: LatestChange, cause: unknown): HandlerFailure {
  const message = `index "${name}" cannot make the document of ${from.name} ${id}: ${messageOf(cause)}`
  return new HandlerFailure(record, new PlatformError('HANDLER_FAILED', message, { cause }))
}
