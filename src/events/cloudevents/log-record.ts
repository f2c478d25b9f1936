import { messageOf, PlatformError } from '../../kernel/errors.ts'
import { bytesOfText, type DataFormat } from '../data-format.ts'
import type { EventDefinition } from '../event.ts'
import type { PublishOptions } from '../publish.ts'
import type { EventMeta, LogRecord } from '../record.ts'
import { type CloudEvent, checkCloudEvent } from './cloud-event.ts'
import { essenceOf, isJson } from './media-type.ts'

export interface ToCloudEventOptions<D> {
  /** `source` of events that name none: a URI reference, such as `/film-shop`. @default 'urn:millrace:log' */
  source?: string
  /** With it the data is in the newest shape, and in the format it was declared with. @default as stored */
  event?: EventDefinition<D>
}

/**
 * An event of the log as a CloudEvent. Beside the attributes of the specification it has the extensions `partitionkey`
 * (the ordering key), `correlationid`, `causationid` (position of the cause) and `traceparent`, where they are known.
 * `dataschema` names event and version: `urn:millrace:event:order.paid:2`.
 * @throws EVENT_NEWER, EVENT_UPCAST_FAILED with `event`
 */
export function toCloudEvent<D>(record: LogRecord, options: ToCloudEventOptions<D> = {}): CloudEvent {
  const { source = 'urn:millrace:log', event } = options
  const meta = record.meta === null ? {} : (JSON.parse(record.meta) as EventMeta)
  const { correlation, cause, traceparent, subject } = meta
  return {
    specversion: '1.0',
    id: record.id,
    source: meta.source ?? source,
    type: record.type,
    ...(subject === undefined ? {} : { subject }),
    time: meta.time ?? timestampOf(record.at),
    dataschema: schemaUri(record.type, event?.version ?? record.version),
    ...(record.key === null || record.key === '' ? {} : { partitionkey: record.key }),
    ...(correlation === undefined ? {} : { correlationid: correlation }),
    ...(cause === undefined ? {} : { causationid: String(cause) }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...dataOf(record, event),
  }
}

type DataAttributes = Pick<CloudEvent, 'datacontenttype' | 'data' | 'data_base64'>

function dataOf<D>(record: LogRecord, event: EventDefinition<D> | undefined): DataAttributes {
  if (event === undefined) return { datacontenttype: 'application/json', data: JSON.parse(record.data) as unknown }
  const { format } = event
  if (format === undefined) return { datacontenttype: 'application/json', data: event.read(record) }
  // What is stored in the newest version needs no decoding.
  const stored = record.version === event.version ? bytesOfText(record.data) : undefined
  const bytes = stored ?? format.encode(event.read(record))
  return { datacontenttype: format.contentType, data_base64: Buffer.from(bytes).toString('base64') }
}

/** Postgres text of a timestamptz in UTC as RFC 3339. */
function timestampOf(text: string): string {
  return text
    .replace(' ', 'T')
    .replace(/\+00$/, 'Z')
    .replace(/([+-]\d\d)$/, '$1:00')
}

const schemaPrefix = 'urn:millrace:event:'
const schemaUri = (type: string, version: number): string => `${schemaPrefix}${type}:${version}`

/** What a CloudEvent is here: `publish(event, data, options)` stores it. */
export interface ReceivedEvent {
  readonly event: EventDefinition
  /** In the newest shape, not yet checked. */
  readonly data: unknown
  readonly options: PublishOptions
}

/**
 * Finds what a CloudEvent is among the given events, by its `type`. Its `source` and `id` become the id that drops a second
 * one; `source`, `subject`, `time`, `correlationid` and `traceparent` are kept, other extensions are not. The ordering key
 * comes from the data, as for every event.
 * @param at where it stands, for the messages: `/0` in a batch
 * @throws INPUT_INVALID, EVENT_NEWER, EVENT_UPCAST_FAILED
 */
export function fromCloudEvent(value: unknown, events: readonly EventDefinition[], at = ''): ReceivedEvent {
  const received = checkCloudEvent(value, at)
  const event = events.find(({ name }) => name === received.type)
  if (event === undefined) throw refused(`${at}/type`, `is no event that is taken here: ${namesOf(events)}`)
  const { source, subject, time, correlationid, traceparent } = received
  return {
    event,
    data: readData(received, event, at),
    options: {
      id: JSON.stringify([source, received.id]),
      source,
      ...(subject === undefined ? {} : { subject }),
      ...(time === undefined ? {} : { time }),
      ...(typeof correlationid === 'string' && correlationid !== '' ? { correlation: correlationid } : {}),
      ...(typeof traceparent === 'string' ? { traceparent } : {}),
    },
  }
}

function readData(received: CloudEvent, event: EventDefinition, at: string): unknown {
  const { format } = event
  const type = received.datacontenttype
  if (format !== undefined && type !== undefined && essenceOf(type) === format.contentType) {
    return decode(format, received.data_base64 ?? '', at)
  }
  if (!isJson(type)) throw refused(`${at}/datacontenttype`, `must be ${format?.contentType ?? 'application/json'}`)
  const data = received.data_base64 === undefined ? received.data : jsonOf(received.data_base64, at)
  if (data === undefined) throw refused(`${at}/data`, 'is missing')
  const version = versionOf(received)
  return format === undefined && version !== event.version && version !== undefined
    ? event.read({ version, data: JSON.stringify(data) })
    : data
}

function decode(format: DataFormat, base64: string, at: string): unknown {
  try {
    return format.decode(Buffer.from(base64, 'base64'))
  } catch (cause) {
    throw refused(`${at}/data_base64`, `is no ${format.contentType}: ${messageOf(cause)}`)
  }
}

/** What the sender says it wrote, if it is one of us. */
function versionOf({ type, dataschema = '' }: CloudEvent): number | undefined {
  const prefix = schemaUri(type, 0).slice(0, -1)
  return dataschema.startsWith(prefix) && /^[1-9]\d{0,4}$/.test(dataschema.slice(prefix.length))
    ? Number(dataschema.slice(prefix.length))
    : undefined
}

function jsonOf(base64: string, at: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString())
  } catch {
    throw refused(`${at}/data_base64`, 'is no JSON, which datacontenttype says it is')
  }
}

function namesOf(events: readonly EventDefinition[]): string {
  return events.map(({ name }) => name).join(', ')
}

function refused(path: string, message: string): PlatformError {
  return new PlatformError('INPUT_INVALID', `CloudEvent: ${path} ${message}`, { issues: [{ path, message }] })
}
