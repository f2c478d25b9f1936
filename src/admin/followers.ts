import { specOf } from '../delivery/handle.ts'
import { typeOf } from '../delivery/on.ts'
import type { LogRecord } from '../events/record.ts'
import type { TableDefinition } from '../events/table.ts'
import { silentLogger } from '../kernel/logger.ts'
import type { AdminParts } from './sources.ts'

/** Anything that passes along the log, by the name its passages carry. */
export interface Follower {
  readonly follower: string
  readonly name: string
  readonly kind: 'consumer' | 'cache' | 'index'
  readonly type: string
  /** Whether an event of its type is one of its own: `changed(column)` chooses more finely than by type. */
  matches(record: LogRecord): boolean
}

const every = (): boolean => true

export function followersOf({ consumers, caches, indexes }: AdminParts): Follower[] {
  return [
    ...caches.flatMap(({ name, origin }): Follower[] =>
      origin.kind === 'table'
        ? [
            {
              follower: `cache:${name}`,
              name,
              kind: 'cache',
              type: (origin.table as TableDefinition).changeType,
              matches: every,
            },
          ]
        : [],
    ),
    ...indexes.map(
      ({ name, from }): Follower => ({
        follower: `index:${name}`,
        name,
        kind: 'index',
        type: from.changeType,
        matches: every,
      }),
    ),
    ...consumers.map(
      (definition): Follower => ({
        follower: definition.name,
        name: definition.name,
        kind: 'consumer',
        type: typeOf(definition.source),
        matches: specOf(definition, silentLogger).matches,
      }),
    ),
  ]
}
