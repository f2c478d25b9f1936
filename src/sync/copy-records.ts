import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type CopyStreamQuery, from as copyFrom } from 'pg-copy-streams'
import type { NewRecord } from '../events/record.ts'
import type { Transaction } from '../store/store.ts'

/** The slice of a `pg` client that takes streams. */
interface CopyTarget {
  query(stream: CopyStreamQuery): CopyStreamQuery
}

const copyStatement = 'copy millrace.events (id, type, version, key, data, meta) from stdin'

/** Appends records by COPY, the fastest way in, from text that `copyText` made. Their order is kept. */
export async function copyRecords(tx: Transaction, chunks: Iterable<string> | AsyncIterable<string>): Promise<void> {
  const client: unknown = tx.client
  await pipeline(Readable.from(chunks), (client as CopyTarget).query(copyFrom(copyStatement)))
}

/** Records in COPY's text format (PostgreSQL manual, COPY, "Text Format"). */
export function copyText(records: readonly NewRecord[]): string {
  let text = ''
  for (const { id, type, version, key, data, meta } of records) {
    text += `${id}\t${type}\t${version}\t${escaped(key)}\t${escaped(data)}\t${escaped(meta)}\n`
  }
  return text
}

const special = /[\\\t\n\r]/
const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }

function escaped(text: string | null): string {
  if (text === null) return '\\N'
  return special.test(text) ? text.replace(/[\\\t\n\r]/g, (character) => escapes[character] ?? character) : text
}
