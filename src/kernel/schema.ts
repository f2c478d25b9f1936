import {
  type Static,
  type TArray,
  type TBoolean,
  type TEnum,
  type TInteger,
  type TLiteral,
  type TNull,
  type TNumber,
  type TObject,
  type TOptional,
  type TSchema,
  type TString,
  type TUnion,
  type TUnknown,
  Type,
} from 'typebox'
import { Compile } from 'typebox/compile'
import { type Issue, PlatformError } from './errors.ts'
import { valueFromText } from './text-values.ts'

/** A Standard Schema value (standardschema.dev, version 1) such as a zod, valibot or arktype schema. */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}
type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string
        readonly path?: readonly (PropertyKey | { key: PropertyKey })[] | undefined
      }[]
    }

type Mutable<F> = { -readonly [K in keyof F]: F[K] }

/** Fields by name: short for `t.object(fields)`. */
export type Fields = Readonly<Record<string, TSchema>>

/** Whatever may stand where a schema is asked for. */
export type SchemaLike = TSchema | Fields | StandardSchema

/** The type of the values that a schema accepts. */
export type Infer<S> =
  S extends StandardSchema<infer Output>
    ? Output
    : S extends { '~kind': string }
      ? Static<S & TSchema>
      : S extends Fields
        ? Static<TObject<Mutable<S>>>
        : never

/** A schema made ready: parses unknown values and knows its JSON Schema (2020-12) where there is one. */
export interface Schema<T> {
  readonly jsonSchema: object | undefined
  /** The same of what `parse` returns, where that differs: defaults filled in, unknown fields left out. */
  readonly outputSchema: object | undefined
  /** Returns the value typed, or throws INPUT_INVALID naming each wrong field. `what` names the value in the message. */
  parse(value: unknown, what: string): T
  /** Like `parse`, for values that came as text (path, query): '12' becomes 12 where a number is asked for. */
  parseText(value: unknown, what: string): T
}

/** The Postgres type of a column, carried inside its schema. */
export const postgresType = 'x-postgres'

const pg = (type: string): Record<string, string> => ({ [postgresType]: type })

/**
 * Schemas of the field types that travel as JSON. Objects refuse unknown fields. Each type also names the Postgres type
 * a column of that kind gets when Millrace creates the table.
 */
export const t = {
  string: (options: { minLength?: number; maxLength?: number; pattern?: string } = {}): TString =>
    Type.String({ ...options, ...pg('text') }),
  /** A whole number up to 2^53. A column that is made for it has 32 bits: say `maximum`, or `t.bigint()` for more. */
  int: (options: { minimum?: number; maximum?: number } = {}): TInteger =>
    Type.Integer({ ...options, ...pg('integer') }),
  number: (options: { minimum?: number; maximum?: number } = {}): TNumber =>
    Type.Number({ ...options, ...pg('double precision') }),
  boolean: (): TBoolean => Type.Boolean(pg('boolean')),
  uuid: (): TString => Type.String({ format: 'uuid', ...pg('uuid') }),
  /** A whole number of up to 64 bits, as decimal text. */
  bigint: (): TString => Type.String({ pattern: '^-?\\d{1,19}$', ...pg('bigint') }),
  /** An exact decimal number, as text. */
  decimal: (): TString => Type.String({ pattern: '^-?\\d+(\\.\\d+)?$', ...pg('numeric') }),
  /** A calendar day, `YYYY-MM-DD`. */
  date: (): TString => Type.String({ format: 'date', ...pg('date') }),
  /** A moment, ISO 8601 with an offset. */
  timestamp: (): TString => Type.String({ format: 'date-time', ...pg('timestamptz') }),
  /** Any JSON value. */
  json: (): TUnknown => Type.Unknown(pg('jsonb')),
  array: <S extends TSchema>(items: S): TArray<S> => Type.Array(items, pg('jsonb')),
  object: <F extends Fields>(fields: F): TObject<Mutable<F>> =>
    Type.Object(fields as Mutable<F>, { additionalProperties: false, ...pg('jsonb') }),
  literal: <const V extends string | number | boolean>(value: V): TLiteral<V> => Type.Literal(value),
  oneOf: <const V extends readonly string[]>(...values: V): TEnum<[...V]> =>
    Type.Enum([...values], pg('text')) as unknown as TEnum<[...V]>,
  nullable: <S extends TSchema>(schema: S): TUnion<[S, TNull]> =>
    Type.Union([schema, Type.Null()], pg(columnType(schema))),
  optional: <S extends TSchema>(schema: S): TOptional<S> => Type.Optional(schema) as TOptional<S>,
}

export function columnType(schema: TSchema): string {
  const type: unknown = Reflect.get(schema, postgresType)
  return typeof type === 'string' ? type : 'text'
}

export function isSchema(value: unknown): value is TSchema {
  return typeof value === 'object' && value !== null && '~kind' in value
}

/** Makes a schema ready once; parsing is then compiled code. */
export function compileSchema<S extends SchemaLike>(schema: S): Schema<Infer<S>> {
  if (isStandard(schema)) return standard(schema) as Schema<Infer<S>>
  if (isSchema(schema)) return typebox(schema) as Schema<Infer<S>>
  if (Object.values(schema).every(isSchema)) return typebox(t.object(schema as Fields)) as Schema<Infer<S>>
  throw new PlatformError('SCHEMA_UNSUPPORTED', 'a schema has a field that is neither `t` nor a Standard Schema')
}

function isStandard(value: unknown): value is StandardSchema {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && '~standard' in value
}

function typebox(schema: TSchema): Schema<unknown> {
  const validator = Compile(schema)
  const check = (value: unknown, what: string): unknown => {
    if (validator.Check(value)) return value
    throw invalid(what, validator.Errors(value).flatMap(issuesOf))
  }
  const jsonSchema = JSON.parse(JSON.stringify(schema)) as object
  return {
    jsonSchema,
    outputSchema: jsonSchema,
    parse: check,
    parseText: (value, what) => check(valueFromText(schema, value), what),
  }
}

type RawError = { keyword: string; instancePath: string; params: object; message: string }

function issuesOf({ keyword, instancePath, params, message }: RawError): Issue[] {
  const at = (names: unknown, text: string): Issue[] =>
    (Array.isArray(names) ? names : []).map((name) => ({
      path: `${instancePath}/${pointer(String(name))}`,
      message: text,
    }))
  if (keyword === 'required') return at(Reflect.get(params, 'requiredProperties'), 'is missing')
  if (keyword === 'additionalProperties') return at(Reflect.get(params, 'additionalProperties'), 'is not a known field')
  // 'boolean' only repeats additionalProperties.
  if (keyword === 'boolean') return []
  const allowed: unknown = keyword === 'enum' ? Reflect.get(params, 'allowedValues') : undefined
  return [{ path: instancePath, message: Array.isArray(allowed) ? `must be one of ${allowed.join(', ')}` : message }]
}

function standard(schema: StandardSchema): Schema<unknown> {
  const parse = (value: unknown, what: string): unknown => {
    const result = schema['~standard'].validate(value)
    if (result instanceof Promise) {
      result.catch(() => undefined) // refused below; its own outcome no longer matters
      throw new PlatformError(
        'SCHEMA_UNSUPPORTED',
        `${what}: its ${schema['~standard'].vendor} schema validates asynchronously`,
      )
    }
    if (result.issues === undefined) return result.value
    throw invalid(
      what,
      result.issues.map((issue) => ({
        path: (issue.path ?? [])
          .map((part) => `/${pointer(String(typeof part === 'object' ? part.key : part))}`)
          .join(''),
        message: issue.message,
      })),
    )
  }
  return {
    jsonSchema: standardJsonSchema(schema, 'input'),
    outputSchema: standardJsonSchema(schema, 'output'),
    parse,
    parseText: parse,
  }
}

/** Standard JSON Schema 1.1: some vendors convert themselves. */
function standardJsonSchema(schema: StandardSchema, side: 'input' | 'output'): object | undefined {
  const convert: unknown = Reflect.get(schema['~standard'], 'jsonSchema')
  const one: unknown = typeof convert === 'object' && convert !== null ? Reflect.get(convert, side) : undefined
  if (typeof one !== 'function') return undefined
  try {
    const result: unknown = one.call(convert, { target: 'draft-2020-12' })
    return typeof result === 'object' && result !== null ? result : undefined
  } catch {
    return undefined // what it means cannot be said as JSON Schema: a transform, a class
  }
}

function invalid(what: string, issues: readonly Issue[]): PlatformError {
  const text = issues.slice(0, 3).map(({ path, message }) => `${path === '' ? 'the value' : path} ${message}`)
  const more = issues.length > 3 ? ` and ${issues.length - 3} more` : ''
  return new PlatformError('INPUT_INVALID', `${what}: ${text.join('; ')}${more}`, { issues })
}

/** Escapes one JSON Pointer token (RFC 6901, 3). */
function pointer(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1')
}
