import type { EventDefinition } from '../events/event.ts'
import { PlatformError } from '../kernel/errors.ts'
import { checkName } from '../kernel/names.ts'
import { resolveOptions } from '../kernel/options.ts'
import type { Sql } from '../store/sql.ts'
import type { StreamDefinition } from './stream.ts'
import type { StreamEvents } from './stream-types.ts'

/** An event that a projection takes in. */
export type ProjectedEvent<E extends StreamEvents> = {
  [K in keyof E & string]: {
    readonly type: K
    readonly data: E[K] extends EventDefinition<infer D> ? D : never
  }
}[keyof E & string] & {
  /** The stream's id, or the event's key. */
  readonly key: string | null
  readonly id: string
  readonly position: number
  readonly at: Date
}

export interface ProjectionContext<E extends StreamEvents> {
  readonly event: ProjectedEvent<E>
  /** Commits with the projection's place in the log: each event is taken in exactly once. */
  readonly sql: Sql
  /** The quoted name of the table to write to, for `sql.query`: another one while a new version is built. */
  readonly table: string
}

export interface ProjectionOptions<E extends StreamEvents> {
  /** A stream, or events by the names under which the code knows them. */
  from: StreamDefinition<E, never> | { readonly events: E }
  /** Raise it when what is computed changes: the new version is built beside the old one, then takes its place. @default 1 */
  version?: number
  /** Makes the table, empty, with its indexes. */
  setup: (context: { sql: Sql; table: string }) => Promise<unknown>
  handle: (context: ProjectionContext<E>) => unknown
}

/**
 * A table computed from events, kept up to date behind them. Read it by its name, which is a view of the version that
 * serves; the tables behind it are named `<name>_<n>`.
 */
export interface ProjectionDefinition<E extends StreamEvents = StreamEvents> {
  readonly kind: 'projection'
  readonly name: string
  readonly events: E
  /** Set when it follows a stream: its ids are what keys say behind the stream's name. */
  readonly stream: string | undefined
  readonly version: number
  readonly setup: ProjectionOptions<E>['setup']
  readonly handle: ProjectionOptions<E>['handle']
}

/** @param name of the view to read, as Postgres knows it: lower-case letters, digits and `_` */
export function projection<const E extends StreamEvents>(
  name: string,
  options: ProjectionOptions<E>,
): ProjectionDefinition<E> {
  checkName('projection', name)
  if (!/^[a-z][a-z0-9_]{0,50}$/.test(name))
    throw new PlatformError('NAME_INVALID', `projection "${name}": the name must be one of a table`, {
      hint: 'Use at most 51 lower-case letters, digits and "_".',
    })
  const { from, version, setup, handle } = resolveOptions(`projection("${name}")`, defaults, options)
  if (!Number.isInteger(version) || version < 1)
    throw new PlatformError('OPTION_INVALID', `projection "${name}": version must be a whole number from 1`)
  const source = from as ProjectionOptions<E>['from']
  return {
    kind: 'projection',
    name,
    events: source.events,
    stream: 'kind' in source ? source.name : undefined,
    version,
    setup: setup as ProjectionOptions<E>['setup'],
    handle: handle as ProjectionOptions<E>['handle'],
  }
}

const defaults = {
  from: undefined as unknown,
  version: 1,
  setup: undefined as unknown,
  handle: undefined as unknown,
}
