/**
 * What the console, the CLI and scripts read and do, as JSON. Each operation is `GET` or `POST /_/api/<name>`; the live
 * stream is `GET /_/api/stream`. Times are ISO 8601, durations are milliseconds, rates are per second.
 */

/** The kinds of declaration that stand on the map. */
export type PartKind = 'table' | 'event' | 'consumer' | 'cache' | 'index' | 'route'

/** One word for the state of anything, everywhere. */
export type Status = 'ok' | 'running' | 'waiting' | 'retrying' | 'failed' | 'paused'

/** One thing that was looked at; a problem carries the command that mends it. */
export interface Check {
  name: string
  status: 'ok' | 'warning' | 'error'
  message: string
  mend?: string
}

export interface Overview {
  app: string
  environment: 'development' | 'production'
  /** Version of Millrace, of Node and of Postgres. */
  versions: { millrace: string; node: string; postgres: string }
  startedAt: string
  status: Status
  /** One sentence of state, such as "Everything is up; 2 deliveries wait for a retry." */
  sentence: string
  /** Last position of the log. */
  head: number
  totals: { lag: number; retrying: number; held: number; dead: number; members: number }
  checks: Check[]
  /** The last two minutes, one point a second, oldest first. */
  rates: RatePoint[]
}

export interface RatePoint {
  at: string
  published: number
  changes: number
  handled: number
  requests: number
}

export interface Topology {
  nodes: TopologyNode[]
  edges: TopologyEdge[]
}
export interface TopologyNode {
  /** `kind:name`. */
  id: string
  kind: PartKind
  name: string
  status: Status
  /** Events, changes, deliveries, lookups, documents or requests per second just now. */
  rate: number
  /** A few facts to show, such as `{ key: 'id', columns: '5' }`. */
  facts: Record<string, string>
}
export interface TopologyEdge {
  from: string
  to: string
  rate: number
  /** Through the log, as opposed to a direct call. */
  async: boolean
}

export interface EventSummary {
  position: number
  id: string
  type: string
  /** `change` for captured rows. */
  kind: 'event' | 'change'
  key: string | null
  at: string
  /** The start of the data, for a list. */
  preview: string
}
export interface EventFilter {
  /** Exact type, or a prefix ending in `*`. */
  type?: string
  key?: string
  /** Text that the data contains. */
  text?: string
  /** Only positions below this one (to page back). */
  before?: number
  /** @default 50, at most 500 */
  limit?: number
}
export interface EventPage {
  /** Newest first. */
  events: EventSummary[]
  head: number
  /** Pass as `before` to go on; absent when the log ends. */
  next?: number
}

/** How one follower stands to one event. */
export interface DeliveryView {
  follower: string
  kind: 'consumer' | 'cache' | 'index'
  status: 'done' | 'waiting' | 'retrying' | 'held' | 'dead'
  startedAt?: string
  doneAt?: string
  tookMs?: number
  attempt?: number
  retryAt?: string
  error?: { code: string; message: string }
  /** The process that did it. */
  member?: string
}

export interface EventDetail extends EventSummary {
  version: number
  data: unknown
  meta: Record<string, unknown>
  /** JSON Schema of the data where the app declares one. */
  schema?: unknown
  deliveries: DeliveryView[]
  /** The events that this one set off. */
  effects: EventSummary[]
}

/** One stop of a journey, in order of time. */
export interface Hop {
  kind: 'commit' | 'capture' | 'sequence' | 'consumer' | 'cache' | 'index'
  name: string
  at: string
  /** Since the commit (or the publish) that began the journey. */
  sinceStartMs: number
  /** How long this stop itself worked, where known. */
  tookMs?: number
  status: DeliveryView['status']
  detail?: string
}
export interface Journey {
  event: EventSummary
  data: unknown
  meta: Record<string, unknown>
  hops: Hop[]
  /** From the start to the last finished stop. */
  totalMs: number
  /** False while a follower has not passed yet. */
  complete: boolean
}

export interface ConsumerView {
  name: string
  kind: 'consumer' | 'index' | 'cache'
  follows: string[]
  status: Status
  position: number
  /** Events of the log between its slowest slot and the head. */
  lag: number
  /** Age of the oldest event it has not handled, 0 when none. */
  lagSeconds: number
  rate: number
  retrying: number
  held: number
  dead: number
  slots: { slot: number; position: number; member: string | null }[]
  p50Ms?: number
  p95Ms?: number
}

/** A line of the live stream: `event: <topic>`, `data: <json>`, `id: <n>`. */
export interface StreamTopics {
  /** New events, oldest first, at most 4 frames a second; `skipped` were left out to keep up. Filter: `type`, `key`, `text`. */
  events: { events: EventSummary[]; skipped: number; head: number }
  /** Every second. */
  overview: Overview
  /** Every second: the rates of the map, by node and edge (`from>to`). */
  rates: { nodes: Record<string, { rate: number; status: Status }>; edges: Record<string, number> }
  /** Every second while subscribed. */
  consumers: ConsumerView[]
}

/** Every operation by name: its input and its output. */
export interface Operations {
  overview: { input: Record<string, never>; output: Overview }
  topology: { input: Record<string, never>; output: Topology }
  events: { input: EventFilter; output: EventPage }
  event: { input: { position: number }; output: EventDetail }
  journey: { input: { position: number }; output: Journey }
  consumers: { input: Record<string, never>; output: ConsumerView[] }
  /** Publishes an event by hand; its data is checked like any other. */
  emit: { input: { event: string; data: unknown }; output: { id: string } }
}
export type OperationName = keyof Operations
