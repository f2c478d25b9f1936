/** An event on its way into the log. `data` and `meta` are JSON text: encoded once, by whoever knows the value. */
export interface NewRecord {
  readonly id: string
  readonly type: string
  readonly version: number
  readonly key: string | null
  readonly data: string
  readonly meta: string | null
  /** Absent for an event that goes into the log at once and always: nearly all do. */
  readonly terms?: PublishTerms | undefined
}

/** When and how often an event is to enter the log. */
export interface PublishTerms {
  /** Not before this time; `undefined`: at once. */
  readonly dueAt: Date | undefined
  /** Only if no event was published under this key whose time is not up; `until` is the time of this one. */
  readonly once: { readonly key: string; readonly until: Date } | undefined
  /** When it was published, by the app's clock. */
  readonly publishedAt: Date
}

/** Where an event came from and what it belongs to; absent parts are not stored. */
export interface EventMeta {
  /** Position of the event whose handling published this one. */
  cause?: number
  /** Groups everything that one outside impulse set off. */
  correlation?: string
  /** W3C Trace Context `traceparent`. */
  traceparent?: string
  /** The CloudEvents attribute `source`: where it happened, as a URI reference. @default the app's own */
  source?: string
  /** The CloudEvents attribute `subject`: what it is about, within its source. */
  subject?: string
  /** The CloudEvents attribute `time`: when it happened, RFC 3339. @default when it was published */
  time?: string
}

/** An event in the log. `data` and `meta` stay text until somebody looks. */
export interface LogRecord extends NewRecord {
  /** Its place in the one order of the log, from 1, without gaps. */
  readonly position: number
  /** When its transaction began, as Postgres text for a timestamptz. */
  readonly at: string
}
