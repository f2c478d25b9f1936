import type { FailedSelection } from '../admin/contract.ts'
import { UsageError } from './usage-error.ts'

/** The flags by which failed deliveries are chosen. */
export const selectionArgs = {
  consumer: { type: 'string', valueHint: 'name', description: 'Only those of one consumer, or index:<name>' },
  type: { type: 'string', valueHint: 'type', description: 'Only this type; order.* takes all that begin so' },
  key: { type: 'string', valueHint: 'key', description: 'Only this key' },
  replay: { type: 'string', valueHint: 'id', description: 'Those of a replay instead of normal delivery' },
  all: { type: 'boolean', description: 'All there are' },
} as const

/** The flags of a command that acts on many. */
export const actingArgs = {
  reason: { type: 'string', valueHint: 'text', description: 'Why; it is kept with your name' },
  'dry-run': { type: 'boolean', description: 'Only count' },
  yes: { type: 'boolean', description: 'Do not ask' },
} as const

export const whatArg = {
  type: 'positional',
  required: false,
  valueHint: 'what',
  description: 'A group as `millrace failed` names it, or consumer#position',
} as const

export interface ChosenFlags {
  what?: string | undefined
  consumer?: string | undefined
  type?: string | undefined
  key?: string | undefined
  replay?: string | undefined
  all?: boolean | undefined
}

/** `ship#41` or `ship#41,43`: a consumer and positions. */
export function parsePlaces(what: string): { consumer: string; positions: number[] } | undefined {
  const [, consumer, list] = /^([^#]+)#(\d{1,15}(?:,\d{1,15})*)$/.exec(what) ?? []
  if (consumer === undefined || list === undefined) return undefined
  return { consumer, positions: list.split(',').map(Number) }
}

/** Throws UsageError when nothing is chosen. */
export function parseSelection({ what, consumer, type, key, replay, all }: ChosenFlags): FailedSelection {
  const places = what === undefined ? undefined : parsePlaces(what)
  if (places !== undefined && consumer !== undefined)
    throw new UsageError('the consumer is named twice', 'Leave out --consumer.')
  if (what !== undefined && places === undefined && !/^[0-9a-f]{12}$/.test(what))
    throw new UsageError(`"${what}" names no group and no delivery`, 'Write consumer#position, such as ship#41.')
  const selection: FailedSelection = {
    ...(places ?? (what === undefined ? {} : { signature: what })),
    ...(consumer === undefined ? {} : { consumer }),
    ...(type === undefined ? {} : { type }),
    ...(key === undefined ? {} : { key }),
    ...(replay === undefined ? {} : { replay }),
    ...(all === true ? { all } : {}),
  }
  const narrowed = [selection.consumer, selection.signature, type, key, replay, all].some((each) => each !== undefined)
  if (!narrowed) throw new UsageError('it is not said which deliveries are meant', 'Name a group, or say --all.')
  return selection
}

/** One delivery: `ship#41`. Throws UsageError. */
export function parsePlace(what: string): { consumer: string; position: number } {
  const { consumer, positions } = parsePlaces(what) ?? { consumer: '', positions: [] }
  const [position] = positions
  if (position !== undefined && positions.length === 1) return { consumer, position }
  throw new UsageError(`"${what}" names no delivery`, 'Write consumer#position, such as ship#41.')
}
