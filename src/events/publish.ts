import { type Clock, systemClock } from '../kernel/clock.ts'
import { PlatformError } from '../kernel/errors.ts'
import { uuidv7 } from '../kernel/ids.ts'
import { type Moment, momentMs } from '../kernel/moment.ts'
import type { Queryable } from '../store/sql.ts'
import { textOfBytes } from './data-format.ts'
import type { EventDefinition } from './event.ts'
import { eventId, onceKey } from './own-id.ts'
import type { EventMeta, NewRecord, PublishTerms } from './record.ts'

export interface PublishOptions extends EventMeta {
  /**
   * An open `pg` client: the event is written through it, so it exists exactly if the client's transaction commits.
   * Without one, concurrent publishes are committed together.
   */
  client?: Queryable
  /**
   * Not before this time: a `Date`, ISO 8601 text with an offset, or a duration from now. Until then it is kept in the
   * database and can be taken back with `cancelScheduled`. @default at once
   */
  at?: Moment
  /**
   * An id of your own, such as `'order-42'`. A second publish of the same type and id stores nothing and returns the same
   * event id, for as long as the event's `dedupe` says. A publish that meets the same id in another open transaction
   * waits for its end. A UUID becomes the event's id as it is; of other text the event's id is computed.
   */
  id?: string
}

/** Publishes an event; resolves to its id once it is durable (or, with a client, written). Throws INPUT_INVALID. */
export type Publish = <D>(event: EventDefinition<D>, data: NoInfer<D>, options?: PublishOptions) => Promise<string>

/** Checks and encodes an event for the log. */
export function newRecord<D>(
  event: EventDefinition<D>,
  data: D,
  options: PublishOptions = {},
  clock: Clock = systemClock,
): NewRecord {
  const checked = event.schema.parse(data, `event ${event.name}`)
  return {
    id: options.id === undefined ? uuidv7() : eventId(event.name, options.id),
    type: event.name,
    version: event.version,
    key: storableKey(event, checked),
    data: encodeData(event, checked),
    meta: encodeMeta(options),
    terms: options.at === undefined && options.id === undefined ? undefined : termsOf(event, options, clock.now()),
  }
}

function termsOf<D>({ name, dedupeMs }: EventDefinition<D>, { at, id }: PublishOptions, nowMs: number): PublishTerms {
  const dueAt = at === undefined ? undefined : new Date(momentMs(at, nowMs))
  return {
    dueAt,
    // Its time begins when the event enters the log: until then a second one would be a double.
    once:
      id === undefined
        ? undefined
        : { key: onceKey(name, id), until: new Date((dueAt?.getTime() ?? nowMs) + dedupeMs) },
    publishedAt: new Date(nowMs),
  }
}

function storableKey<D>(event: EventDefinition<D>, data: D): string | null {
  const key = event.keyOf(data)
  if (key?.includes('\0')) throw refusal(event.name, 'has a key with the character U+0000, which Postgres cannot store')
  return key
}

function encodeData<D>({ name, format }: EventDefinition<D>, data: D): string {
  if (format !== undefined) return textOfBytes(format.encode(data))
  const text = JSON.stringify(data) as string | undefined
  if (text === undefined) throw refusal(name, 'has no data')
  return text
}

function refusal(event: string, message: string): PlatformError {
  return new PlatformError('INPUT_INVALID', `event ${event} ${message}`, { issues: [{ path: '', message }] })
}

function encodeMeta({ cause, correlation, traceparent, source, subject, time }: EventMeta): string | null {
  const plain = source === undefined && subject === undefined && time === undefined
  if (plain && cause === undefined && correlation === undefined && traceparent === undefined) return null
  return JSON.stringify({ cause, correlation, traceparent, source, subject, time })
}
