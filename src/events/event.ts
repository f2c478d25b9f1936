import { PlatformError } from '../kernel/errors.ts'
import { checkName } from '../kernel/names.ts'
import { compileSchema, type Infer, type Schema, type SchemaLike } from '../kernel/schema.ts'

export interface EventOptions<D> {
  /** Version of the data's shape. @default 1 */
  version?: number
  /** What orders events: those of one key are handled one after another. A field, or a function. @default no order */
  key?: (keyof D & string) | ((data: D) => string)
}

/** A typed fact. Publish it with `publish`, follow it with `on`. */
export interface EventDefinition<D = unknown> {
  readonly kind: 'event'
  readonly name: string
  readonly version: number
  readonly schema: Schema<D>
  /** The ordering key of some data, `null` when order does not matter. */
  keyOf(data: D): string | null
}

/**
 * Declares an event.
 * @param name its durable type, such as `'order.paid'`
 * @param schema the shape of its data: fields, a `t` schema or any Standard Schema
 */
export function event<const S extends SchemaLike>(
  name: string,
  schema: S,
  options: EventOptions<Infer<S>> = {},
): EventDefinition<Infer<S>> {
  checkName('event', name)
  const { key, version = 1 } = options
  if (!Number.isInteger(version) || version < 1 || version > 32_767)
    throw new PlatformError('OPTION_INVALID', `event ${name}: version must be a whole number from 1 to 32767`)
  return {
    kind: 'event',
    name,
    version,
    schema: compileSchema(schema),
    keyOf: (data) => {
      if (key === undefined) return null
      const value: unknown = typeof key === 'function' ? key(data) : data[key]
      return value === undefined || value === null ? null : String(value)
    },
  }
}
