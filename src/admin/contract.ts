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
  status: 'done' | 'waiting' | 'retrying' | 'held' | 'dead' | 'discarded'
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
  /** What this event belongs to: pass it to `correlated`. An event that nothing set off is the root of its own. */
  correlation: string
  /** What set it off, the nearest first, up to the root; at most 100. */
  causes: EventSummary[]
  /** The position of a further cause that the log does not keep any more. */
  causeGone?: number
  /**
   * The events that this one set off, oldest first, at most 100. They are looked for right after it and where its
   * followers handled it in the last 15 minutes: of older events that were retried much later, some may be missing.
   */
  effects: EventSummary[]
}

/** The log as it is stored. */
export interface LogView {
  /** Last position. */
  head: number
  /** Up to here the log is gone but for what was kept of it. */
  tail: number
  /** Events at or below the tail that were kept, those restored from archives included. */
  kept: number
  restored: number
  /** Bytes on disk, indexes included. */
  bytes: number
  /** Oldest first. A full one goes as a whole, once it is old enough and every consumer has passed `lastPosition`. */
  partitions: { from: number; full: boolean; lastPosition?: number; bytes: number }[]
  /** The consumer furthest behind, which holds the retention. */
  slowest?: { consumer: string; position: number }
  /** Names of the archived files, oldest first; absent where the app names no folder. */
  archives?: string[]
  /** The last file that was brought back by this process, or is just now. */
  restoring?: { file: string; events: number; done: boolean; error?: string }
}

/** Everything that one outside impulse set off, oldest first. */
export interface CorrelatedPage {
  events: EventSummary[]
  /** Pass as `after` to go on; absent when the log was looked through to its head. */
  next?: number
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
  /** Told to stand still, with `pauseConsumer` or by its own failure policy. */
  paused: boolean
  /** The failure for which it paused itself: `resumeConsumer` tries that event again. */
  stoppedBy?: { position: number; code: string; message: string }
  slots: { slot: number; position: number; member: string | null }[]
  /** Milliseconds until it has caught up at its present pace; absent when it has, or does not come nearer. */
  etaMs?: number
  /** How it was declared, as words for people: `attempts`, `timeout`, `concurrency`, … */
  policy: Record<string, string>
  p50Ms?: number
  p95Ms?: number
}

// ---- Failed deliveries ---------------------------------------------------------------------------------------------

/** What is kept of an error. Passwords, tokens and the like are taken out before it is stored. */
export interface StoredError {
  /** Code of a PlatformError, SQLSTATE, or the name of the error's class. */
  code: string
  message: string
  /** The first lines. */
  stack?: string
}

/** Failed deliveries of one consumer that failed alike. */
export interface FailureGroup {
  /** Of consumer, type and error without what differs each time; the same on every process and in every version. */
  signature: string
  consumer: string
  kind: 'consumer' | 'index'
  /** The replay in which they failed; `null` in normal delivery. */
  replay: string | null
  types: string[]
  code: string
  /** The error's message with `‹n›`, `‹id›`, `‹text›` in place of what differs. */
  message: string
  /** `retrying` + `dead`. */
  count: number
  /** Wait for their next try by themselves. */
  retrying: number
  /** Wait for somebody to redrive, edit or discard them. */
  dead: number
  /** Newer events of their keys that wait behind the retrying ones. */
  held: number
  firstFailedAt: string
  lastFailedAt: string
  /** Of the retrying ones, the next try. */
  retryAt?: string
  /** The one that failed last. */
  example: { position: number; type: string; key: string | null; message: string }
}

/** A delivery in trouble, for a list. */
export interface FailedDelivery {
  consumer: string
  kind: 'consumer' | 'index'
  replay: string | null
  position: number
  type: string
  key: string | null
  /** `held`: did not fail itself, waits behind an earlier one of its key. */
  state: 'retrying' | 'held' | 'dead'
  /** Tries since it first came, or since it was redriven. */
  attempts: number
  /** How often it was redriven. */
  redrives: number
  /** Its handler gets edited data. */
  edited: boolean
  /** Absent on what was never tried. */
  signature?: string
  error?: StoredError
  firstFailedAt?: string
  lastFailedAt?: string
  retryAt?: string
}

export interface FailedFilter {
  consumer?: string
  signature?: string
  /** Exact type, or a prefix ending in `*`. */
  type?: string
  key?: string
  /** Those of one replay. @default those of normal delivery and of all replays */
  replay?: string
  /** @default dead and retrying */
  state?: 'retrying' | 'held' | 'dead'
  /** `next` of the page before. */
  cursor?: string
  /** @default 50, at most 500 */
  limit?: number
}
export interface FailedPage {
  /** The highest position first. */
  deliveries: FailedDelivery[]
  /** All that fit the filter, on all pages. */
  total: number
  next?: string
}

/** One failed delivery. */
export interface DeliveryAddress {
  /** A consumer's name, or `index:<name>`. */
  consumer: string
  position: number
  /** @default normal delivery */
  replay?: string
}

/** One try that failed. */
export interface FailedTry {
  at: string
  attempt: number
  code: string
  message: string
  /** The process that tried. */
  member?: string
}

export interface FailedDeliveryDetail extends FailedDelivery {
  event: EventSummary & { version: number }
  /** What the log says. It never changes. */
  data: unknown
  /** The same in the newest shape of the event, where the log keeps an older one. An edit is in this shape. */
  newest?: unknown
  /** What the handler gets instead, and who changed it. */
  edit?: { data: unknown; by: string; at: string; reason?: string }
  /** JSON Schema of the data where the app declares one. */
  schema?: unknown
  /** The last 20, oldest first. */
  tries: FailedTry[]
  /** Positions of newer events of its key that wait behind it, at most 100. */
  heldBehind: number[]
  /** What people did about it, newest first. */
  interventions: Intervention[]
}

/**
 * Which failed deliveries are meant: those that fit everything that is given. At least one field must be given, or
 * `all: true`; `positions` need a `consumer`.
 */
export interface FailedSelection {
  consumer?: string
  /** At most 1,000. */
  positions?: number[]
  signature?: string
  /** Exact type, or a prefix ending in `*`. */
  type?: string
  key?: string
  /** Those of one replay. @default those of normal delivery */
  replay?: string
  all?: boolean
}

/** Said with each action; kept in the audit. */
export interface Signed {
  /** Who does it. @default 'unknown' */
  by?: string
  reason?: string
}

export interface RedriveResult {
  /** How many were (in a dry run: would be) redriven. */
  redriven: number
  /** Their keys; within each they run in the order of the log, before newer ones of the key that are held. */
  keys: number
  /** Of those: how many run although newer events of their key were handled already. That order cannot be mended. */
  afterNewer: number
  /** Of how many this was not found out: too much of the log lies in between. */
  unchecked: number
  consumers: string[]
}

/** Somebody did something about a delivery, a consumer or a replay. */
export interface Intervention {
  id: number
  at: string
  by: string
  action:
    | 'redrive'
    | 'edit'
    | 'undo-edit'
    | 'discard'
    | 'retry-now'
    | 'pause'
    | 'resume'
    | 'replay'
    | 'pause-replay'
    | 'resume-replay'
    | 'cancel-replay'
    | 'retry-job'
    | 'cancel-job'
    | 'run-schedule'
    | 'pause-schedule'
    | 'resume-schedule'
  /** Of a job `job:<name>`, of a schedule `schedule:<name>`. */
  consumer: string
  replay: string | null
  /** Absent where a whole consumer or replay is meant. */
  position?: number
  type?: string
  key?: string | null
  reason?: string
  /** What was thrown away or replaced: error, attempts, edited data. */
  what?: unknown
}
export interface InterventionPage {
  /** Newest first. */
  interventions: Intervention[]
  /** Pass as `before` to go on. */
  next?: number
}

// ---- Replays -------------------------------------------------------------------------------------------------------

/**
 * Which events are handled again by one consumer declared with `on`. Only what it follows counts. Normal delivery goes on
 * meanwhile; between the two there is no order, within the replay there is one per key.
 */
export interface ReplayRequest {
  consumer: string
  /** The first position. @default the beginning of the log */
  fromPosition?: number
  /** Events that came into the log at or after this moment (ISO 8601); instead of `fromPosition`. */
  fromTime?: string
  /** The last position, at most the head. @default the head when the replay starts */
  untilPosition?: number
  /** Events that came into the log before this moment; instead of `untilPosition`. */
  untilTime?: string
  /** Only what this impulse set off, itself included. */
  correlation?: string
  /** Only this key: a stream, a row. */
  key?: string
  /** Exact type, or a prefix ending in `*`. */
  type?: string
  /** At most so many events a second. @default as fast as it goes */
  rate?: number
  /**
   * What happens when an event has failed all its tries: it becomes a dead letter of the replay, or the replay stops before
   * the next event until it is resumed; that takes one event at a time, so it is slow. @default 'dead-letter'
   */
  onFailure?: 'dead-letter' | 'stop'
  /** Given again, the replay that it started is returned instead of a second one. */
  request?: string
}

export interface ReplayPlan {
  fromPosition: number
  untilPosition: number
  /** Events that would be handled. */
  events: number
  /** False when there were too many to count in one call: then `events` is how many there are at least. */
  counted: boolean
  keys: number
}

export interface ReplayView {
  id: string
  consumer: string
  /** `stopped`: by a failure, see `onFailure`; resume it to go on. */
  state: 'running' | 'paused' | 'stopped' | 'done' | 'cancelled'
  fromPosition: number
  untilPosition: number
  /** Looked at up to here. */
  position: number
  /** 0 to 1. */
  progress: number
  handled: number
  retrying: number
  held: number
  dead: number
  filter: { correlation?: string; key?: string; type?: string }
  /** Events per second allowed; `null` without a limit. */
  rate: number | null
  /** Events per second just now. */
  speed: number
  /** Absent while nothing moves. */
  etaMs?: number
  onFailure: 'dead-letter' | 'stop'
  by: string
  reason?: string
  startedAt: string
  finishedAt?: string
  /** The process that works on it. */
  member: string | null
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

// ---- Jobs and schedules ---------------------------------------------------------------------------------------------

/** `waiting`: for a worker, or for its time. */
export type JobState = 'waiting' | 'running' | 'done' | 'dead' | 'cancelled'
export interface JobView {
  id: string
  name: string
  state: JobState
  /** Higher goes first. */
  priority: number
  /** Tries so far, the one at work included. */
  attempt: number
  /** What its concurrency is limited by, across the fleet. */
  key: string | null
  uniqueKey: string | null
  /** `null` of jobs that are done. */
  data: unknown
  /** What its handler said last. */
  progress: unknown
  /** Of the last try that failed. */
  error: { code: string; message: string; stack?: string } | null
  addedAt: string
  /** When it is due; of jobs that wait or are at work. */
  runAt: string | null
  startedAt: string | null
  finishedAt: string | null
  /** The process at work on it. */
  member: string | null
}
export interface JobCounts {
  name: string
  /** Due, waiting for a worker. */
  ready: number
  /** Waiting for their time, retries included. */
  delayed: number
  running: number
  dead: number
}
export interface JobPage {
  /** By name, of all jobs that are not done. */
  counts: JobCounts[]
  /** The last added first. */
  jobs: JobView[]
  /** Pass as `before` to go on. */
  next?: string
}

export interface ScheduleView {
  name: string
  /** The cron pattern, or `every 300000 ms`. */
  when: string
  timeZone: string
  /** What becomes of due times that pass while no process runs. */
  missed: 'skip' | 'once' | 'all'
  paused: boolean
  /** False while no living process runs it. */
  active: boolean
  /** The last due time that was fired. */
  lastAt: string | null
  fired: number
  /** The next five due times; none while it is paused. */
  next: string[]
}

/** Every operation by name: its input and its output. */
export interface Operations {
  overview: { input: Record<string, never>; output: Overview }
  topology: { input: Record<string, never>; output: Topology }
  events: { input: EventFilter; output: EventPage }
  event: { input: { position: number }; output: EventDetail }
  journey: { input: { position: number }; output: Journey }
  /** Looks an event up by its id. NOT_FOUND when the log does not keep it. */
  eventById: { input: { id: string }; output: EventSummary }
  /** Everything of one correlation, oldest first, from its root on. */
  correlated: { input: { correlation: string; after?: number; limit?: number }; output: CorrelatedPage }
  consumers: { input: Record<string, never>; output: ConsumerView[] }

  /** What fails, in groups, the one that failed last first; at most 200 groups. */
  failures: { input: { consumer?: string; replay?: string }; output: FailureGroup[] }
  /** Failed deliveries one by one. */
  deadLetters: { input: FailedFilter; output: FailedPage }
  /** NOT_FOUND when the delivery is not in trouble (any more). */
  deadLetter: { input: DeliveryAddress; output: FailedDeliveryDetail }
  /**
   * Lets dead letters be handled again, with a fresh count of tries: per key in the order of the log, and before newer ones
   * of their key that are held. With `dryRun` nothing happens but the count.
   */
  redrive: { input: FailedSelection & Signed & { dryRun?: boolean }; output: RedriveResult }
  /**
   * Gives the handler other data for one dead or waiting delivery. It is checked against the schema of the event, and its
   * key must stay. INPUT_INVALID with the issues. With `redrive` a dead one is redriven at once.
   */
  edit: { input: DeliveryAddress & Signed & { data: unknown; redrive?: boolean }; output: FailedDeliveryDetail }
  /** Gives the handler what the log says again. */
  undoEdit: { input: DeliveryAddress & Signed; output: FailedDeliveryDetail }
  /**
   * Gives up deliveries that failed: their consumer never gets them. What was given up stays in `interventions`. Takes dead
   * ones; those that wait for a retry only where `positions` name them.
   */
  discard: {
    input: FailedSelection & { by?: string; reason: string; dryRun?: boolean }
    output: { discarded: number }
  }
  /** Makes deliveries that wait for their next try due at once. */
  retryNow: { input: FailedSelection & Signed & { dryRun?: boolean }; output: { due: number } }
  /** Lets a consumer stand still, on all processes; what is under way is finished. Nothing is lost meanwhile. */
  pauseConsumer: { input: { consumer: string } & Signed; output: ConsumerView }
  resumeConsumer: { input: { consumer: string } & Signed; output: ConsumerView }
  /** What people did, newest first. */
  interventions: {
    input: { consumer?: string; position?: number; action?: Intervention['action']; before?: number; limit?: number }
    output: InterventionPage
  }

  /** Counts what a replay would handle; starts nothing. */
  planReplay: { input: ReplayRequest; output: ReplayPlan }
  /** Starts a replay. */
  replay: { input: ReplayRequest & Signed; output: ReplayView }
  /** Newest first, at most 100. */
  replays: { input: { consumer?: string }; output: ReplayView[] }
  replayStatus: { input: { id: string }; output: ReplayView }
  pauseReplay: { input: { id: string } & Signed; output: ReplayView }
  /** Goes on with one that was paused or stopped. */
  resumeReplay: { input: { id: string } & Signed; output: ReplayView }
  /** Ends it for good; what it did stays done, its dead letters stay until they are discarded. */
  cancelReplay: { input: { id: string } & Signed; output: ReplayView }

  jobs: { input: { name?: string; state?: JobState; before?: string; limit?: number }; output: JobPage }
  /** NOT_FOUND when nothing is kept of it. */
  job: { input: { id: string }; output: JobView }
  /** Does a dead or cancelled job again, with a fresh count of tries; one that waits for its time is due now. */
  retryJob: { input: { id: string } & Signed; output: JobView }
  /** Removes a job that waits; aborts the signal of one at work. */
  cancelJob: { input: { id: string } & Signed; output: JobView }
  schedules: { input: Record<string, never>; output: ScheduleView[] }
  /** Fires it once now, paused or not; its due times stay. */
  runSchedule: { input: { name: string } & Signed; output: ScheduleView }
  pauseSchedule: { input: { name: string } & Signed; output: ScheduleView }
  /** It goes on with the next due time; what passed meanwhile is not made up for. */
  resumeSchedule: { input: { name: string } & Signed; output: ScheduleView }
  /** What the log holds, and what the retention did with the rest. */
  log: { input: Record<string, never>; output: LogView }
  /**
   * Begins to bring an archived file back to its place in the log, for replays and for consumers that begin at the
   * beginning; `log` tells how far it is. CONFLICT while another one is under way, NOT_FOUND.
   */
  restoreArchive: { input: { file: string }; output: LogView }
  /** Publishes an event by hand; its data is checked like any other. */
  emit: { input: { event: string; data: unknown }; output: { id: string } }
}
export type OperationName = keyof Operations
