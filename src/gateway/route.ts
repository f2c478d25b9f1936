import type { EventDefinition } from '../events/event.ts'
import { PlatformError } from '../kernel/errors.ts'
import { resolveOptions } from '../kernel/options.ts'
import { compileSchema, type Fields, type Infer, isSchema, type Schema, type SchemaLike, t } from '../kernel/schema.ts'
import type { RouteContext } from './context.ts'
import { type Method, type ParsedPattern, type PathParameter, type Pattern, parsePattern } from './pattern.ts'

/** What a route takes and gives. What it does not name it does not take: unknown fields are refused. */
export interface RouteContract<
  Params extends SchemaLike = SchemaLike,
  Query extends SchemaLike = SchemaLike,
  Body extends SchemaLike = SchemaLike,
  Response extends SchemaLike = SchemaLike,
> {
  /** Path parameters; those not named here are text. */
  params?: Params
  query?: Query
  /** Of POST, PUT, PATCH and DELETE only. */
  body?: Body
  /** Checked before it is sent: an answer that breaks it is RESPONSE_INVALID. */
  response?: Response
  /** HTTP status of success. @default 200, or 204 when the handler returns nothing */
  status?: number
  /** One line for the documentation. */
  summary?: string
  /** Largest body in bytes. @default 1 MiB */
  bodyLimit?: number
}

/** An HTTP endpoint, ready to be served. */
export interface Route {
  readonly kind: 'route'
  /** The pattern: `GET /films/:id`. */
  readonly name: string
  readonly method: Method
  readonly path: string
  readonly params: Schema<unknown>
  readonly query: Schema<unknown>
  readonly body: Schema<unknown> | undefined
  readonly response: Schema<unknown> | undefined
  readonly status: number | undefined
  readonly summary: string | undefined
  readonly bodyLimit: number | undefined
  /** Set where the handler reads the bytes of the body itself, of these media types (with their JSON Schemas) and others. */
  readonly rawBody?: Readonly<Record<string, object>>
  /** Events that come in through it. */
  readonly events?: readonly EventDefinition[]
  handle(context: RouteContext): unknown
}

type NoFields = Record<never, never>

/** Parameters as checked: those with a schema have its type, the others are text. */
type ParamsOf<P extends string, S extends SchemaLike> = S extends { '~kind': string } | { '~standard': unknown }
  ? Infer<S>
  : { [Name in PathParameter<P>]: Name extends keyof S ? Infer<S>[Name & keyof Infer<S>] : string }

/** Makes a schema that names a parameter which the path lacks a type error. */
type Known<P extends string, S extends SchemaLike> = {
  [Name in Exclude<keyof Infer<S>, PathParameter<P>>]: `"${Name & string}" is no parameter of the path`
}

type Handler<Params, Query, Body, Result> = (context: RouteContext<Params, Query, Body>) => Result | Promise<Result>

/** What a handler with a response contract may return: nothing becomes 404 (GET) or 204. */
type Result<S extends SchemaLike> = SchemaLike extends S ? unknown : Infer<S> | null | undefined

/**
 * Declares an HTTP endpoint.
 * @param pattern method and path: `'GET /films/:id'`
 * @param contract schemas of path parameters, query, body and response
 * @param handler returns a JSON value; nothing (`undefined` or `null`) from a GET is 404, from another method 204
 */
export function route<const P extends Pattern>(
  pattern: P,
  handler: Handler<{ [Name in PathParameter<P>]: string }, NoFields, undefined, unknown>,
): Route
export function route<
  const P extends Pattern,
  const Params extends SchemaLike = NoFields,
  const Query extends SchemaLike = NoFields,
  const Body extends SchemaLike = SchemaLike,
  const Response extends SchemaLike = SchemaLike,
>(
  pattern: P,
  contract: RouteContract<Params, Query, Body, Response> & { params?: Known<P, Params> },
  handler: Handler<
    ParamsOf<P, Params>,
    Infer<Query>,
    SchemaLike extends Body ? undefined : Infer<Body>,
    Result<Response>
  >,
): Route
export function route(
  pattern: Pattern,
  ...rest: [handler: Route['handle']] | [contract: RouteContract, handler: Route['handle']]
): Route {
  const [contract, handle] = rest.length === 1 ? [{}, rest[0]] : rest
  const parsed = parsePattern(pattern)
  const given = resolveOptions(`route "${pattern}"`, contractKeys, contract as RouteContract)
  if (parsed.method === 'GET' && given.body !== undefined) {
    throw new PlatformError('ROUTE_INVALID', `route "${pattern}" declares a body, which GET does not have`)
  }
  return Object.freeze({
    kind: 'route',
    name: pattern,
    method: parsed.method,
    path: parsed.path,
    params: compileSchema(paramsSchema(pattern, parsed, given.params)),
    query: compileSchema(given.query ?? {}),
    body: given.body === undefined ? undefined : compileSchema(given.body),
    response: given.response === undefined ? undefined : compileSchema(given.response),
    status: given.status,
    summary: given.summary,
    bodyLimit: given.bodyLimit,
    handle,
  })
}

const contractKeys: { [Key in keyof Required<RouteContract>]: undefined } = {
  params: undefined,
  query: undefined,
  body: undefined,
  response: undefined,
  status: undefined,
  summary: undefined,
  bodyLimit: undefined,
}

function paramsSchema(pattern: string, { parameters }: ParsedPattern, given: SchemaLike | undefined): SchemaLike {
  if (given !== undefined && (isSchema(given) || '~standard' in given)) return given
  const fields = (given ?? {}) as Fields
  const unknown = Object.keys(fields).find((name) => !parameters.includes(name))
  if (unknown !== undefined) {
    throw new PlatformError('ROUTE_INVALID', `route "${pattern}" has no parameter ":${unknown}" in its path`)
  }
  return Object.fromEntries(parameters.map((name) => [name, fields[name] ?? t.string({ minLength: 1 })]))
}
