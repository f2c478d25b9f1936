import type { CacheDefinition } from '../cache/cache-definition.ts'
import type { ConsumerDefinition } from '../delivery/on.ts'
import type { EventDefinition } from '../events/event.ts'
import type { TableDefinition } from '../events/table.ts'
import type { Route } from '../gateway/route.ts'
import type { JobDefinition } from '../jobs/job-definition.ts'
import type { ScheduleDefinition } from '../jobs/schedule.ts'
import { PlatformError } from '../kernel/errors.ts'
import { checkName } from '../kernel/names.ts'
import { resolveOptions } from '../kernel/options.ts'
import { type RetentionOptions, type RetentionPolicy, retentionPolicy } from '../retention/retention-policy.ts'
import type { IndexDefinition } from '../search/index-definition.ts'
import type { Sql } from '../store/sql.ts'
import type { ProjectionDefinition } from '../streams/projection.ts'
import type { StreamDefinition } from '../streams/stream.ts'

/** Anything that an app can list. Wide in its type parameters: a list holds tables of any row. */
export type Part =
  | {
      readonly kind:
        | 'table'
        | 'event'
        | 'consumer'
        | 'cache'
        | 'index'
        | 'route'
        | 'stream'
        | 'projection'
        | 'job'
        | 'schedule'
      readonly name: string
    }
  | readonly Part[]

export interface AppOptions {
  /**
   * Runs at every start, after the declared tables exist and before anything follows them, in one transaction and in
   * one process at a time: make indexes, seed data.
   */
  setup?: (context: { sql: Sql }) => Promise<unknown>
  /** How long the log keeps events. @default for ever */
  retention?: RetentionOptions
}

/** The parts of an app by kind, each name once. */
export interface Parts {
  readonly tables: readonly TableDefinition[]
  readonly events: readonly EventDefinition[]
  readonly consumers: readonly ConsumerDefinition[]
  readonly caches: readonly CacheDefinition[]
  readonly indexes: readonly IndexDefinition[]
  readonly routes: readonly Route[]
  readonly streams: readonly StreamDefinition[]
  readonly projections: readonly ProjectionDefinition[]
  readonly jobs: readonly JobDefinition<never>[]
  readonly schedules: readonly ScheduleDefinition[]
}

/** Everything that belongs to an app. Export it as default; `millrace dev` and `startApp` run it. */
export interface AppDefinition {
  readonly kind: 'app'
  readonly name: string
  readonly parts: Parts
  readonly setup: ((context: { sql: Sql }) => Promise<unknown>) | undefined
  readonly retention: RetentionPolicy
}

/**
 * Declares an app.
 * @param parts the declarations, as an object or a list; lists inside count as their members. Tables that others follow
 * need not be listed again.
 */
export function app(
  name: string,
  parts: Readonly<Record<string, Part>> | readonly Part[],
  options: AppOptions = {},
): AppDefinition {
  checkName('app', name)
  const defaults = { setup: undefined as AppOptions['setup'], retention: {} as RetentionOptions }
  const { setup, retention } = resolveOptions(`app("${name}")`, defaults, options)
  return { kind: 'app', name, parts: sort(name, parts), setup, retention: retentionPolicy(name, retention) }
}

function sort(app: string, given: Readonly<Record<string, Part>> | readonly Part[]): Parts {
  const parts = {
    tables: [],
    events: [],
    consumers: [],
    caches: [],
    indexes: [],
    routes: [],
    streams: [],
    projections: [],
    jobs: [],
    schedules: [],
  } as {
    -readonly [K in keyof Parts]: Parts[K][number][]
  }
  const lists: Record<Exclude<Part, readonly Part[]>['kind'], unknown[]> = {
    table: parts.tables,
    event: parts.events,
    consumer: parts.consumers,
    cache: parts.caches,
    index: parts.indexes,
    route: parts.routes,
    stream: parts.streams,
    projection: parts.projections,
    job: parts.jobs,
    schedule: parts.schedules,
  }
  const add = (where: string, part: unknown): void => {
    if (Array.isArray(part)) {
      for (const [i, member] of part.entries()) add(`${where}[${i}]`, member)
      return
    }
    const kind: unknown = typeof part === 'object' && part !== null ? Reflect.get(part, 'kind') : undefined
    const list = Object.entries(lists).find(([known]) => known === kind)?.[1]
    if (list === undefined) {
      throw new PlatformError('APP_INVALID', `app "${app}": ${where} is not a declaration`, {
        hint: 'List values made with table, event, stream, on, projection, job, schedule, cache, index or route.',
      })
    }
    if (!list.includes(part)) list.push(part)
  }
  if (typeof given !== 'object' || given === null) {
    throw new PlatformError('APP_INVALID', `app "${app}" lists no declarations but ${String(given)}`, {
      hint: "Give an object or a list of declarations: app('shop', { films, film }).",
    })
  }
  for (const [where, part] of Object.entries(given)) add(where, part)
  for (const { name, consumer } of parts.schedules) add(name, consumer)
  for (const followed of followedTables(parts)) add(followed.name, followed)
  for (const [kind, list] of Object.entries(lists)) refuseTwins(app, kind, list as { name: string }[])
  return parts
}

/** Tables and events that are only reached through their followers. */
function followedTables({ consumers, caches, indexes, streams, routes }: Parts): (TableDefinition | EventDefinition)[] {
  return [
    ...consumers.flatMap(({ sources }) =>
      sources.flatMap((source): (TableDefinition | EventDefinition)[] =>
        source.kind === 'pattern' ? [] : [source.kind === 'event' ? source : (source.table as TableDefinition)],
      ),
    ),
    ...caches.flatMap(({ origin }) => (origin.kind === 'table' ? [origin.table as TableDefinition] : [])),
    ...indexes.map(({ from }) => from as TableDefinition),
    ...routes.flatMap(({ events = [] }) => [...events]),
    ...streams.flatMap(({ events }) => Object.values(events) as unknown as EventDefinition[]),
  ]
}

function refuseTwins(app: string, kind: string, list: readonly { name: string }[]): void {
  const names = list.map(({ name }) => name)
  const twin = names.find((name, i) => names.indexOf(name) !== i)
  if (twin !== undefined)
    throw new PlatformError('NAME_TAKEN', `app "${app}" has two ${kind} declarations named "${twin}"`)
}
