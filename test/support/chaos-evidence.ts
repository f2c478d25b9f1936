import type { Operation } from './chaos-history.ts'

/** Everything that is looked at when a run is over: what was asked, and what the database has. Plain data. */
export interface Evidence {
  readonly operations: readonly Operation[]
  /** The log, by position. */
  readonly log: readonly Logged[]
  /** The last position that was given. */
  readonly head: number
  /** Events in the log's table. */
  readonly stored: number
  readonly consumers: readonly Consumed[]
  /** In the order in which they were made. */
  readonly effects: readonly Effect[]
  readonly deliveries: readonly Delivery[]
  /** The audit, oldest first. */
  readonly interventions: readonly Intervened[]
  /** Rows that transactions wrote beside their events: the ops. */
  readonly rows: readonly string[]
  /** By stream and revision. */
  readonly revisions: readonly Revision[]
}

export interface Logged {
  readonly position: number
  readonly op: string
  readonly type: string
  readonly key: string | null
  /** What handlers copy into their effects; an edit changes it. */
  readonly note: string
  /** The position whose handler published it. */
  readonly cause: number | null
}

/** A consumer, or a replay to one. */
export interface Consumed {
  readonly name: string
  readonly types: readonly string[]
  readonly from: number
  readonly until: number
  readonly key: string | null
  /** Effects of a key stand in the order of the log. */
  readonly ordered: boolean
  /** False for a replay that was cancelled: what it had not handled by then, it never will. */
  readonly whole: boolean
}

/** What a handler left in Postgres. */
export interface Effect {
  readonly consumer: string
  readonly position: number
  readonly op: string
  readonly key: string | null
  readonly note: string
  /** How many events the handler published with it. */
  readonly follows: number
}

/** A delivery in trouble. */
export interface Delivery {
  readonly consumer: string
  readonly position: number
  readonly state: 'retrying' | 'held' | 'dead'
  readonly attempt: number
  readonly error: { code: string; message: string } | null
  readonly tries: readonly { code: string; message: string }[]
}

export interface Intervened {
  readonly action: string
  readonly consumer: string
  readonly position: number | null
  /** The id of the operation that asked for it. */
  readonly reason: string | null
  /** Of an edit: what the handler gets from then on. */
  readonly note: string | null
}

export interface Revision {
  readonly stream: string
  readonly revision: number
  readonly position: number
}

/** Something that must not be. */
export interface Finding {
  readonly rule: string
  readonly message: string
}
