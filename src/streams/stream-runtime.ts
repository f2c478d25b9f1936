import { setTimeout as sleep } from 'node:timers/promises'
import type { EventMeta } from '../events/record.ts'
import { messageOf, PlatformError } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'
import { makeSql, type Sql } from '../store/sql.ts'
import type { Store } from '../store/store.ts'
import { AppendGroup } from './append-group.ts'
import { type Appended, appendToStreams } from './append-to-streams.ts'
import { conflict, type Expected } from './expected.ts'
import { type ReadStreamOptions, readStream, type StoredStreamEvent } from './read-stream.ts'
import { readSnapshot, writeSnapshot } from './snapshots.ts'
import { type GivenEvent, type StreamAppend, streamRecords } from './stream-append.ts'
import type {
  AppendOptions,
  Loaded,
  PendingAppend,
  StreamAppender,
  StreamEvent,
  StreamEvents,
  StreamKind,
  Within,
} from './stream-types.ts'

export interface StreamRuntimeDeps {
  store: Store
  logger: Logger
  /** Events were committed. */
  committed: () => void
  /** Events were written in a transaction whose commit we do not see. */
  expected: () => void
}

type AnyEvent = StreamEvent<StreamEvents>
type Decide = (state: unknown, revision: number) => readonly GivenEvent[] | Promise<readonly GivenEvent[]>

const longestWaitMs = 20

/** The streams of one running app. */
export class StreamRuntime implements StreamAppender {
  readonly #deps: StreamRuntimeDeps
  readonly #group: AppendGroup
  #background: Promise<void> = Promise.resolve()

  constructor(deps: StreamRuntimeDeps) {
    this.#deps = deps
    this.#group = new AppendGroup(deps.store, deps.committed)
  }

  async close(): Promise<void> {
    await this.#group.drain()
    await this.#background
  }

  pending(stream: StreamKind, id: string, events: readonly GivenEvent[], options: AppendOptions = {}): PendingAppend {
    const append = this.#prepare(stream, id, events, options)
    return { stream, by: this, id, append }
  }

  async append(
    stream: StreamKind,
    id: string,
    events: readonly GivenEvent[],
    options: AppendOptions = {},
  ): Promise<number> {
    const append = this.#prepare(stream, id, events, options)
    if (append.records.length === 0) return this.#check(append, options.within)
    if (options.within === undefined && stream.options.inline === undefined)
      return revisionOf(append, await this.#group.add(append))
    const [revision = 0] = await this.appendAll([{ stream, by: this, id, append }], options.within)
    return revision
  }

  async appendAll(appends: readonly PendingAppend[], within?: Within): Promise<number[]> {
    const names = appends.map(({ append }) => append.stream)
    const twice = names.find((name, i) => names.indexOf(name) !== i)
    if (twice !== undefined)
      throw new PlatformError('OPTION_INVALID', `appendAll: the stream "${twice}" stands there twice`, {
        hint: 'Give all events of a stream in one append.',
      })
    if (within !== undefined) {
      const revisions = await appendUndoably(sqlOf(within), appends)
      this.#deps.expected()
      return revisions
    }
    const revisions = await this.#deps.store.transaction((tx) => appendTogether(tx.sql, appends))
    this.#deps.committed()
    return revisions
  }

  async read(stream: StreamKind, id: string, options?: ReadStreamOptions): Promise<AnyEvent[]> {
    const stored = await readStream(this.#deps.store.sql, nameOf(stream, id), options)
    const types = typesOf(stream)
    return stored.map((event) => toEvent(stream, types, event))
  }

  async load(stream: StreamKind, id: string, options: { asOf?: Date | number } = {}): Promise<Loaded<unknown>> {
    return this.#load(this.#deps.store.sql, stream, id, options.asOf)
  }

  async update(
    stream: StreamKind,
    id: string,
    decide: Decide,
    { attempts = 10, ...options }: AppendOptions & { attempts?: number } = {},
  ): Promise<Loaded<unknown>> {
    const sql = options.within === undefined ? this.#deps.store.sql : sqlOf(options.within)
    const tries = options.within === undefined ? attempts : 1
    for (let attempt = 1; ; attempt += 1) {
      const { state, revision } = await this.#load(sql, stream, id)
      const events = await decide(state, revision)
      if (events.length === 0) return { state, revision }
      try {
        const now = await this.append(stream, id, events, { ...options, expect: revision })
        return { state: await this.#evolve(sql, stream, id, state, revision, now), revision: now }
      } catch (error) {
        const lost = error instanceof PlatformError && error.code === 'STREAM_CONFLICT'
        if (!lost || attempt >= tries) throw error
        await sleep(Math.random() * longestWaitMs)
      }
    }
  }

  async #load(sql: Sql, stream: StreamKind, id: string, asOf?: Date | number): Promise<Loaded<unknown>> {
    const name = nameOf(stream, id)
    const { initial, evolve, snapshot } = stream.options
    const kept =
      snapshot === undefined || asOf instanceof Date ? undefined : await readSnapshot(sql, name, snapshot.version)
    const from = kept !== undefined && (asOf === undefined || kept.revision <= Number(asOf)) ? kept : undefined
    let state = from === undefined ? initial() : from.state
    let revision = from?.revision ?? 0
    const types = typesOf(stream)
    const range = asOf === undefined ? { from: revision + 1 } : { from: revision + 1, asOf }
    for (const stored of await readStream(sql, name, range)) {
      if (stored.revision !== revision + 1)
        throw new PlatformError(
          'INTERNAL',
          `the stream "${name}" has nothing between ${revision} and ${stored.revision}`,
        )
      state = evolve(state, toEvent(stream, types, stored))
      revision = stored.revision
    }
    // What a transaction of the caller shows may be rolled back: a snapshot of it would outlive it.
    const committed = sql === this.#deps.store.sql
    if (committed && snapshot !== undefined && asOf === undefined && revision - (kept?.revision ?? 0) >= snapshot.every)
      this.#keep(name, snapshot.version, { state, revision })
    return { state, revision }
  }

  async #evolve(sql: Sql, stream: StreamKind, id: string, state: unknown, from: number, to: number): Promise<unknown> {
    const types = typesOf(stream)
    const stored = await readStream(sql, nameOf(stream, id), { from: from + 1, to })
    return stored.reduce((sum, event) => stream.options.evolve(sum, toEvent(stream, types, event)), state)
  }

  /** Beside the caller's work: a snapshot that could not be written costs time later, nothing else. */
  #keep(name: string, version: number, loaded: Loaded<unknown>): void {
    const { store, logger } = this.#deps
    this.#background = this.#background.then(() =>
      writeSnapshot(store, name, version, loaded).catch((error: unknown) =>
        logger.warn({ stream: name, error: messageOf(error) }, 'a snapshot could not be written'),
      ),
    )
  }

  #prepare(stream: StreamKind, id: string, events: readonly GivenEvent[], options: AppendOptions): StreamAppend {
    for (const { type } of events)
      if (!Object.hasOwn(stream.events, type))
        throw new PlatformError('OPTION_INVALID', `stream "${stream.name}" has no event "${type}"`, {
          hint: `Its events: ${Object.keys(stream.events).join(', ')}.`,
        })
    const { expect = 'any', within, cause, correlation, traceparent } = options
    const origin: EventMeta = { ...(within !== undefined && 'sql' in within ? within.origin : {}) }
    if (cause !== undefined) origin.cause = cause
    if (correlation !== undefined) origin.correlation = correlation
    if (traceparent !== undefined) origin.traceparent = traceparent
    return { stream: nameOf(stream, id), expect, records: streamRecords(stream.events, events, origin) }
  }

  /** No events: only the expectation is looked at. */
  async #check(append: StreamAppend, within: Within | undefined): Promise<number> {
    const sql = within === undefined ? this.#deps.store.sql : sqlOf(within)
    const [row] = await sql<{ revision: number }>`select revision from millrace.streams where stream = ${append.stream}`
    const revision = row?.revision ?? 0
    return revisionOf(append, { revision, done: holds(append.expect, revision) })
  }
}

function holds(expected: Expected, revision: number): boolean {
  if (expected === 'any') return true
  if (expected === 'exists') return revision > 0
  return revision === (expected === 'none' ? 0 : expected)
}

/** @throws STREAM_CONFLICT */
function revisionOf({ stream, expect }: StreamAppend, { revision, done }: Appended): number {
  if (!done) throw conflict(stream, expect, revision)
  return revision
}

/** In a transaction that may commit although this fails: then nothing of it stays. */
async function appendUndoably(sql: Sql, appends: readonly PendingAppend[]): Promise<number[]> {
  const projected = appends.some(({ stream }) => stream.options.inline !== undefined)
  if (!projected) return appendTogether(sql, appends)
  await sql`savepoint millrace_append`
  try {
    const revisions = await appendTogether(sql, appends)
    await sql`release savepoint millrace_append`
    return revisions
  } catch (error) {
    await sql`rollback to savepoint millrace_append`
    throw error
  }
}

async function appendTogether(sql: Sql, appends: readonly PendingAppend[]): Promise<number[]> {
  const outcomes = await appendToStreams(
    sql,
    appends.map(({ append }) => append),
    { atomic: true },
  )
  const broken = outcomes.findIndex(
    ({ done }, i) => !done && !holds((appends[i] as PendingAppend).append.expect, outcomes[i]?.revision ?? 0),
  )
  if (broken !== -1) revisionOf((appends[broken] as PendingAppend).append, outcomes[broken] as Appended)
  const revisions = outcomes.map(({ revision }) => revision)
  for (const [i, { stream, id, append }] of appends.entries()) await project(sql, stream, id, append, revisions[i] ?? 0)
  return revisions
}

async function project(sql: Sql, stream: StreamKind, id: string, append: StreamAppend, last: number): Promise<void> {
  const { inline } = stream.options
  const count = append.records.length
  if (inline === undefined || count === 0) return
  const stored = await readStream(sql, append.stream, { from: last - count + 1, to: last })
  const types = typesOf(stream)
  const events = stored.map((event) => toEvent(stream, types, event))
  await inline({ id, events, sql })
}

function sqlOf(within: Within): Sql {
  return 'sql' in within ? within.sql : makeSql(() => within.client)
}

const longestName = 500

function nameOf(stream: StreamKind, id: string): string {
  if (typeof id === 'string' && id !== '' && id.length <= longestName && !id.includes('\0'))
    return `${stream.name}:${id}`
  throw new PlatformError('INPUT_INVALID', `stream "${stream.name}": an id is a text of 1 to ${longestName} characters`)
}

/** Names in code by names in the log. */
function typesOf(stream: StreamKind): Map<string, string> {
  return new Map(Object.entries(stream.events).map(([key, { name }]) => [name, key]))
}

function toEvent(stream: StreamKind, types: ReadonlyMap<string, string>, stored: StoredStreamEvent): AnyEvent {
  const type = types.get(stored.type)
  if (type === undefined)
    throw new PlatformError(
      'EVENT_UNKNOWN',
      `stream "${stream.name}" holds an event of type "${stored.type}", which it does not declare`,
    )
  const definition = stream.events[type] as unknown as { read(record: { version: number; data: string }): unknown }
  const { revision: _, ...meta } = JSON.parse(stored.meta ?? '{}') as EventMeta & { revision?: number }
  const event = {
    type,
    data: definition.read(stored),
    id: stored.id,
    revision: stored.revision,
    at: new Date(stored.at),
    meta,
  }
  return event as unknown as AnyEvent
}
