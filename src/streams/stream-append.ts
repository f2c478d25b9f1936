import type { EventDefinition } from '../events/event.ts'
import { newRecord } from '../events/publish.ts'
import type { EventMeta, NewRecord } from '../events/record.ts'
import type { Expected } from './expected.ts'

/** Some events for one stream, checked and encoded. */
export interface StreamAppend {
  /** The name of the stream in the database: `<kind>:<id>`, which is also the key of its events. */
  readonly stream: string
  readonly expect: Expected
  readonly records: readonly NewRecord[]
}

export interface GivenEvent {
  readonly type: string
  readonly data: unknown
}

/** @throws INPUT_INVALID naming the event that does not fit its schema */
export function streamRecords(
  events: Readonly<Record<string, EventDefinition>>,
  given: readonly GivenEvent[],
  origin: EventMeta | undefined,
): NewRecord[] {
  return given.map(({ type, data }) => newRecord(events[type] as EventDefinition, data, origin))
}
