import { type Duration, durationMs } from '../kernel/duration.ts'
import { messageOf, PlatformError } from '../kernel/errors.ts'
import { checkName } from '../kernel/names.ts'
import { resolveOptions } from '../kernel/options.ts'
import { compileSchema, type Schema } from '../kernel/schema.ts'
import { type Compatibility, checkCompatibility } from './contracts/compatibility.ts'
import { type Upcasters, type UpcastSteps, upcast, upcastSteps } from './contracts/upcast.ts'
import { bytesOfText, type DataFormat, type EventData, type EventSchema, isFormat } from './data-format.ts'
import type { LogRecord } from './record.ts'

export interface EventOptions<D, V extends number = number> {
  /** Version of the data's shape, from 1 to 32767. Raise it with a change that breaks, and give an upcaster. @default 1 */
  version?: V
  /**
   * Makes data of older versions new, each function from its version to the next: `{ 1: (data) => ({ ...data, via: 'card' }) }`.
   * Runs when an older event is read; what is stored never changes. The result is checked: EVENT_UPCAST_FAILED.
   */
  upcast?: Upcasters<D, V>
  /**
   * What a changed declaration must keep to, compared with all that were ever registered; see `Compatibility`.
   * @default 'backward'
   */
  compatibility?: Compatibility
  /** What orders events: those of one key are handled one after another. A field, or a function. @default no order */
  key?: (keyof D & string) | ((data: D) => string)
  /** How long a second publish with the same own `id` is dropped. @default '7d' */
  dedupe?: Duration
}

/** A typed fact. Publish it with `publish`, follow it with `on`. */
export interface EventDefinition<D = unknown, N extends string = string> {
  readonly kind: 'event'
  readonly name: N
  readonly version: number
  readonly schema: Schema<D>
  /** Set where the data is not kept as plain JSON. */
  readonly format: DataFormat<D> | undefined
  readonly compatibility: Compatibility
  readonly upcasters: UpcastSteps
  /**
   * The data of an event of this type in the log, in the newest shape.
   * @throws EVENT_NEWER when it is of a version that this code does not know yet, EVENT_UPCAST_FAILED
   */
  read(record: Pick<LogRecord, 'version' | 'data'>): D
  /** The ordering key of some data, `null` when order does not matter. */
  keyOf(data: D): string | null
  /** How long a second publish with the same own id is dropped, in milliseconds. */
  readonly dedupeMs: number
}

/**
 * Declares an event.
 * @param name its durable type, such as `'order.paid'`
 * @param schema the shape of its data: fields, a `t` schema, any Standard Schema, or `protobuf(…)` of millrace/protobuf
 */
export function event<const S extends EventSchema, const V extends number = 1, const N extends string = string>(
  name: N,
  schema: S,
  options: EventOptions<EventData<S>, V> = {},
): EventDefinition<EventData<S>, N> {
  checkName('event', name)
  const { version, upcast: given, key, compatibility, dedupe } = resolveOptions(`event("${name}")`, defaults, options)
  if (!Number.isInteger(version) || version < 1 || version > 32_767)
    throw new PlatformError('OPTION_INVALID', `event ${name}: version must be a whole number from 1 to 32767`)
  checkCompatibility(name, compatibility)
  const upcasters = upcastSteps(name, version, given)
  const format = isFormat(schema) ? (schema as DataFormat<EventData<S>>) : undefined
  const compiled = isFormat(schema) ? schema.schema : compileSchema(schema)
  const shape: Shape<EventData<S>> = { name, version, upcasters, format, schema: compiled as Schema<EventData<S>> }
  return {
    kind: 'event',
    ...shape,
    name,
    compatibility,
    read: (record) =>
      record.version === version && format === undefined ? JSON.parse(record.data) : readOther(shape, record),
    keyOf: (data) => {
      if (key === undefined) return null
      const value: unknown = typeof key === 'function' ? key(data) : data[key]
      return value === undefined || value === null ? null : String(value)
    },
    dedupeMs: durationMs(dedupe),
  }
}

const defaults = {
  version: 1 as number,
  upcast: undefined as unknown,
  key: undefined as unknown,
  compatibility: 'backward' as Compatibility,
  dedupe: '7d' as Duration,
}

type Shape<D> = Pick<EventDefinition<D>, 'name' | 'version' | 'schema' | 'format' | 'upcasters'>

/** What is not plain JSON of the declared version. */
function readOther<D>(shape: Shape<D>, { version: stored, data: text }: Pick<LogRecord, 'version' | 'data'>): D {
  const { name, version, upcasters, format, schema } = shape
  if (stored > version) {
    throw new PlatformError(
      'EVENT_NEWER',
      `event ${name}: version ${stored} was published by newer code; this one knows ${version}`,
    )
  }
  const bytes = format === undefined ? undefined : bytesOfText(text)
  const data: unknown = format === undefined || bytes === undefined ? JSON.parse(text) : format.decode(bytes)
  if (stored === version) return data as D
  const brought = upcast(name, upcasters, stored, version, data)
  try {
    return schema.parse(brought, `event ${name}, version ${stored} brought to ${version}`)
  } catch (cause) {
    throw new PlatformError('EVENT_UPCAST_FAILED', messageOf(cause), {
      cause,
      issues: cause instanceof PlatformError ? cause.issues : [],
    })
  }
}
