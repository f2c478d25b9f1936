import type { LogRecord } from '../events/record.ts'
import type { AdminParts } from './sources.ts'

type Stored = Pick<LogRecord, 'type' | 'version' | 'data'>

/** The data of an event for people: what the log keeps, decoded where that is no plain JSON. */
export function shownData({ events }: Pick<AdminParts, 'events'>, record: Stored): unknown {
  const event = events.find(({ name }) => name === record.type)
  const decoded = event?.format === undefined ? undefined : attempt(() => event.format?.toJson(event.read(record)))
  return decoded ?? JSON.parse(record.data)
}

/** The data in the newest shape, where the log keeps an older one that this code can read. */
export function newestData({ events }: Pick<AdminParts, 'events'>, record: Stored): unknown {
  const event = events.find(({ name }) => name === record.type)
  if (event === undefined || event.version === record.version) return undefined
  return attempt(() => {
    const data = event.read(record)
    return event.format === undefined ? data : event.format.toJson(data)
  })
}

/** What cannot be read is shown as it is: that it cannot be read may be why somebody looks. */
function attempt(read: () => unknown): unknown {
  try {
    return read()
  } catch {
    return undefined
  }
}
