import type { LogRecord } from '../events/record.ts'
import { PlatformError } from '../kernel/errors.ts'
import type { DeliveryAddress, FailedDeliveryDetail, FailedTry } from './contract.ts'
import { eventAt, summaryOf } from './event-list.ts'
import { type FailedRow, failedColumns, failedTables, failedView } from './failed-deliveries.ts'
import { interventionPage } from './interventions.ts'
import { schemaOf } from './schema-of.ts'
import { storedConsumer } from './selection.ts'
import { newestData, shownData } from './shown-data.ts'
import type { AdminSources } from './sources.ts'

const detailText = `select ${failedColumns}, d.tries, d.data::text as "editedData", d.data_version as "editedVersion", d.edited_by as "editedBy", d.edited_at as "editedAt",
    d.edit_reason as "editReason", array(select h.position from millrace.deliveries h
      where h.consumer = d.consumer and h.key = d.key and h.position > d.position and h.state = 'held' and d.state <> 'dead'
      order by h.position limit 100) as "heldBehind"
  from ${failedTables} where d.consumer = $1 and d.position = $2`

interface Row extends FailedRow {
  tries: FailedTry[]
  editedData: string | null
  editedVersion: number | null
  editedBy: string | null
  editedAt: string | null
  editReason: string | null
  heldBehind: number[]
}

/** One failed delivery with all that is known of it. */
export async function failedDelivery(sources: AdminSources, address: DeliveryAddress): Promise<FailedDeliveryDetail> {
  const { store, parts } = sources
  const stored = storedConsumer(address)
  const [row] = await store.sql.query<Row>(detailText, [stored, address.position])
  if (row === undefined) throw notFailed(address)
  const [record, { interventions }] = await Promise.all([
    eventAt(store, address.position),
    interventionPage(sources, { position: address.position }, stored),
  ])
  const schema = schemaOf(parts, record.type)
  const newest = newestData(parts, record)
  return {
    ...failedView(row),
    event: { ...summaryOf(record), version: record.version },
    data: shownData(parts, record),
    ...(newest === undefined ? {} : { newest }),
    ...(row.editedData === null ? {} : { edit: editOf(row, shownData(parts, editedRecord(record, row))) }),
    ...(schema === undefined ? {} : { schema }),
    tries: row.tries.map(({ member, ...each }) => ({ ...each, ...(member == null ? {} : { member }) })),
    heldBehind: row.heldBehind,
    interventions,
  }
}

export function notFailed({ consumer, position, replay }: DeliveryAddress): PlatformError {
  const where = replay === undefined ? consumer : `${consumer} (replay ${replay})`
  return new PlatformError('NOT_FOUND', `the delivery of event ${position} to ${where} is not in trouble`, {
    hint: 'It was handled or discarded meanwhile: look at the event.',
  })
}

function editedRecord(record: LogRecord, { editedData, editedVersion }: Row): LogRecord {
  return { ...record, data: editedData ?? record.data, version: editedVersion ?? record.version }
}

function editOf({ editedBy, editedAt, editReason }: Row, data: unknown): NonNullable<FailedDeliveryDetail['edit']> {
  return {
    data,
    by: editedBy ?? 'unknown',
    at: editedAt ?? '',
    ...(editReason === null ? {} : { reason: editReason }),
  }
}
