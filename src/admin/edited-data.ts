import type { EditedData } from '../delivery/edit-delivery.ts'
import type { Change } from '../events/change.ts'
import type { EventDefinition } from '../events/event.ts'
import { newRecord } from '../events/publish.ts'
import type { LogRecord } from '../events/record.ts'
import type { TableDefinition } from '../events/table.ts'
import { PlatformError } from '../kernel/errors.ts'
import { compileSchema, t } from '../kernel/schema.ts'
import type { AdminParts } from './sources.ts'

/**
 * Data that somebody wrote for one event, checked like data that is published. The key stays: the delivery waits in its
 * order.
 * @throws INPUT_INVALID
 */
export function editedData(parts: AdminParts, record: LogRecord, data: unknown): EditedData {
  const event = parts.events.find(({ name }) => name === record.type)
  if (event !== undefined) {
    const made = newRecord(event, data)
    if (made.key !== record.key && !keyedFromOutside(event, record)) throw otherKey(record.key, made.key)
    return made
  }
  const table = parts.tables.find(({ changeType }) => changeType === record.type)
  if (table !== undefined) checkChange(table, record, data)
  return { data: JSON.stringify(data), version: record.version }
}

/** The key of a stream's event is the stream, whatever its data says. */
function keyedFromOutside(event: EventDefinition, record: LogRecord): boolean {
  try {
    return event.keyOf(event.read(record)) !== record.key
  } catch {
    return false // data that cannot be read is what an edit may be for
  }
}

const changeSchema = compileSchema({
  op: t.oneOf('snapshot', 'insert', 'update', 'delete', 'truncate'),
  table: t.string(),
  key: t.string(),
  row: t.nullable(t.json()),
  before: t.nullable(t.json()),
  unchanged: t.optional(t.array(t.string())),
})

function checkChange(table: TableDefinition, record: LogRecord, data: unknown): void {
  const change = changeSchema.parse(data, `change of ${table.name}`) as Change
  // A row that leaves out large columns is no whole row.
  if (change.row !== null && change.unchanged === undefined) table.schema.parse(change.row, `row of ${table.name}`)
  if (change.key !== (record.key ?? '')) throw otherKey(record.key, change.key)
}

function otherKey(key: string | null, given: string | null): PlatformError {
  return new PlatformError('INPUT_INVALID', `the key must stay ${JSON.stringify(key)}, not ${JSON.stringify(given)}`, {
    issues: [{ path: '', message: `must keep the key ${JSON.stringify(key)}` }],
    hint: 'Discard the delivery and publish an event with the right key.',
  })
}
