import type { Change } from '../events/change.ts'
import type { EventDefinition } from '../events/event.ts'
import type { ChangeSource, TableDefinition } from '../events/table.ts'
import { PlatformError } from '../kernel/errors.ts'

/** Events by their name, with wildcards. */
export interface EventPattern {
  readonly kind: 'pattern'
  readonly pattern: string
}

/**
 * All events whose name fits, those that nobody has declared yet included: `matching('order.*')`. Wildcards are those of
 * NATS subjects: `*` is one segment between dots, `>` at the end one or more. Captured changes are never meant: name
 * their tables. Data comes as it is stored, unchecked and without upcasting.
 * @throws OPTION_INVALID
 */
export function matching(pattern: string): EventPattern {
  const segments = pattern.split('.')
  const fits = segments.every((segment, i) =>
    segment === '>' ? i === segments.length - 1 : segment === '*' || /^[a-z0-9]+(?:[-_][a-z0-9]+)*$/.test(segment),
  )
  if (!fits)
    throw new PlatformError('OPTION_INVALID', `matching("${pattern}"): this fits no name of an event`, {
      hint: "Write 'order.*' for one more segment, 'order.>' for any number of them.",
    })
  return { kind: 'pattern', pattern }
}

/** Anything that `on` can follow. */
export type Source = EventDefinition<unknown> | TableDefinition<unknown> | ChangeSource<unknown> | EventPattern
export type Sources = Source | readonly Source[]

/** What a declaration keeps of a source: a table stands for all of its changes. */
export type FollowedSource = EventDefinition | ChangeSource<unknown> | EventPattern

export type EachOf<S> = S extends readonly (infer One)[] ? One : S

/** The data that events of a source carry. */
export type DataOf<S> =
  S extends EventDefinition<infer D>
    ? D
    : S extends TableDefinition<infer R>
      ? Change<R>
      : S extends ChangeSource<infer R>
        ? Change<R>
        : unknown

/** The type that events of a source have, as far as it is known. */
export type TypeOf<S> = S extends { kind: 'event'; name: infer N extends string }
  ? N
  : S extends { kind: 'pattern' }
    ? string
    : `change:${string}`

/** @throws OPTION_INVALID for none, or for the same one twice */
export function followed(where: string, sources: Sources): FollowedSource[] {
  const list = (Array.isArray(sources) ? sources : [sources]) as readonly Source[]
  if (list.length === 0) throw new PlatformError('OPTION_INVALID', `${where} follows nothing`)
  const all = list.map((source): FollowedSource => {
    if (source.kind === 'table') return { kind: 'changes', table: source as TableDefinition<unknown>, columns: [] }
    return source as FollowedSource
  })
  const names = all.map(nameOf)
  const twin = names.find((name, i) => names.indexOf(name) !== i)
  if (twin !== undefined) throw new PlatformError('OPTION_INVALID', `${where} follows ${twin} twice`)
  return all
}

/** The type in the log that a source stands for, or its pattern. */
export function nameOf(source: FollowedSource): string {
  if (source.kind === 'pattern') return source.pattern
  return source.kind === 'event' ? source.name : source.table.changeType
}
