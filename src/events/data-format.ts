import type { Infer, Schema, SchemaLike } from '../kernel/schema.ts'
import type { Gap } from './contracts/gap.ts'

/**
 * How the data of an event is written where it is not plain JSON. The log keeps it as `{"data_base64": "…"}`, so that
 * nothing in Postgres takes it for fields: filters and text search do not see into it.
 */
export interface DataFormat<D = unknown> {
  readonly kind: 'format'
  /** Short name in the registry of contracts: `protobuf`. */
  readonly name: string
  /** Media type of the bytes, such as `application/protobuf`. */
  readonly contentType: string
  /** Checks what is to be published. */
  readonly schema: Schema<D>
  /** What the registry keeps of the shape, as a JSON value. */
  readonly contract: unknown
  /** Where data written under the one contract cannot be read under the other. */
  gaps(from: unknown, to: unknown): Gap[]
  encode(data: D): Uint8Array
  /** Throws when the bytes are none of this format. */
  decode(bytes: Uint8Array): D
  /** The data as a JSON value, for people. */
  toJson(data: D): unknown
}

/** Whatever an event may be declared with. */
export type EventSchema = SchemaLike | DataFormat

/** The type of the data of an event that is declared with `S`. */
export type EventData<S> = S extends { kind: 'format'; schema: Schema<infer D> }
  ? D
  : S extends SchemaLike
    ? Infer<S>
    : never

export function isFormat(schema: EventSchema): schema is DataFormat {
  return typeof schema === 'object' && 'kind' in schema && schema.kind === 'format' && 'contentType' in schema
}

/** The JSON text that the log keeps of encoded data. */
export function textOfBytes(bytes: Uint8Array): string {
  return `{"data_base64":"${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}"}`
}

const prefix = '{"data_base64":"'

/** The bytes of encoded data; `undefined` when the text is plain JSON. Postgres gives `json` back as it was written. */
export function bytesOfText(text: string): Uint8Array | undefined {
  return text.startsWith(prefix) && text.endsWith('"}')
    ? Buffer.from(text.slice(prefix.length, -2), 'base64')
    : undefined
}
