import { nameOf } from '../delivery/source.ts'
import { specOf } from '../delivery/spec-of.ts'
import type { LogRecord } from '../events/record.ts'
import { type Selection, selectTypes } from '../events/selection.ts'
import type { TableDefinition } from '../events/table.ts'
import { silentLogger } from '../kernel/logger.ts'
import type { AdminParts } from './sources.ts'

/** Anything that passes along the log, by the name its passages carry. */
export interface Follower {
  readonly follower: string
  readonly name: string
  readonly kind: 'consumer' | 'cache' | 'index'
  /** Types in the log that it follows, and patterns of them. */
  readonly types: readonly string[]
  /** What it takes of the log. */
  readonly selection: Selection
  /** Whether an event is one of its own: filters and `changed(column)` choose more finely than by type. */
  matches(record: LogRecord): boolean
}

export function followersOf({ consumers, caches, indexes }: AdminParts): Follower[] {
  return [
    ...caches.flatMap(({ name, origin }): Follower[] =>
      origin.kind === 'table'
        ? [
            {
              follower: `cache:${name}`,
              name,
              kind: 'cache',
              ...byType((origin.table as TableDefinition).changeType),
            },
          ]
        : [],
    ),
    ...indexes.map(
      ({ name, from }): Follower => ({
        follower: `index:${name}`,
        name,
        kind: 'index',
        ...byType(from.changeType),
      }),
    ),
    ...consumers.map((definition): Follower => {
      const { selection, matches } = specOf(definition, silentLogger)
      return {
        follower: definition.name,
        name: definition.name,
        kind: 'consumer',
        types: definition.sources.map(nameOf),
        selection,
        matches: (record) => selection.wants(record) && matches(record),
      }
    }),
  ]
}

function byType(type: string): Pick<Follower, 'types' | 'selection' | 'matches'> {
  const selection = selectTypes([type])
  return { types: [type], selection, matches: selection.wants }
}
