import type { EventDefinition } from '../event.ts'
import type { Compatibility } from './compatibility.ts'
import type { Gap } from './gap.ts'
import { gapsBetween } from './gaps.ts'
import { canonical, checksumOf, isSchemaValue, type Schema } from './json-schema.ts'

/** What an event's data may look like, under one version. */
export interface Contract {
  readonly event: string
  readonly version: number
  /** `json`: `schema` is a JSON Schema; else the name of a `DataFormat`. */
  readonly format: string
  /** Null where the declaration has none that can be read: nothing is compared then. */
  readonly schema: unknown
  readonly checksum: string
}

/** A contract as it stands in the registry. */
export interface RegisteredContract extends Contract {
  readonly id: number
  readonly compatibility: Compatibility
  /** ISO 8601. */
  readonly registeredAt: string
}

/** One registered contract that a declared one breaks with. */
export interface Break {
  readonly against: RegisteredContract
  readonly direction: 'backward' | 'forward'
  readonly gaps: readonly Gap[]
}

export function contractOf({ name, version, schema, format }: EventDefinition): Contract {
  const shape = format === undefined ? jsonContract(schema.outputSchema) : format.contract
  return { event: name, version, format: format?.name ?? 'json', schema: shape, checksum: checksumOf(shape) }
}

function jsonContract(schema: object | undefined): unknown {
  return isSchemaValue(schema) ? canonical(schema) : null
}

/** Whether this very contract was registered before: then it may run again, after a rollback too. */
export function isKnown({ version, checksum }: Contract, history: readonly RegisteredContract[]): boolean {
  return history.some((known) => known.version === version && known.checksum === checksum)
}

/**
 * What a declaration breaks with, of all contracts of its event that were registered, in their order. Pure.
 * An older version that has an upcaster is the upcaster's; one whose later version has is compared with that version.
 */
export function breaksOf(event: EventDefinition, history: readonly RegisteredContract[]): Break[] {
  const declared = contractOf(event)
  const { compatibility, version } = event
  if (compatibility === 'none' || declared.schema === null || isKnown(declared, history)) return []
  const since = history.findLastIndex((known) => known.compatibility === 'none')
  const compared = history.slice(Math.max(0, since)).filter(({ schema }) => schema !== null)
  return compared.flatMap((against): Break[] => {
    const backward =
      compatibility === 'forward' || against.version > version
        ? []
        : readersOf(event, declared, against, compared).flatMap((reader) => gapsOf(event, against, reader))
    const forward = compatibility === 'backward' ? [] : gapsOf(event, declared, against)
    return [
      ...(backward.length === 0 ? [] : [{ against, direction: 'backward' as const, gaps: backward }]),
      ...(forward.length === 0 ? [] : [{ against, direction: 'forward' as const, gaps: forward }]),
    ]
  })
}

/** The contracts under which data of an older one is taken as it is: the declared one, or those of an upcaster on the way. */
function readersOf(
  { upcasters }: EventDefinition,
  declared: Contract,
  older: Contract,
  history: readonly Contract[],
): readonly Contract[] {
  const steps = [...upcasters.keys()].filter((from) => from >= older.version)
  if (steps.length === 0) return [declared]
  const first = Math.min(...steps)
  return first === older.version ? [] : history.filter(({ version }) => version === first)
}

function gapsOf({ format }: EventDefinition, from: Contract, to: Contract): readonly Gap[] {
  if (from.format !== to.format)
    return [{ path: '', from: from.format, to: to.format, why: 'the data is written in another format' }]
  if (format !== undefined) return format.gaps(from.schema, to.schema)
  return gapsBetween(from.schema as Schema, to.schema as Schema)
}
