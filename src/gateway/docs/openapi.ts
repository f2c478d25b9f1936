import type { Route } from '../route.ts'
import { cleanSchema, fieldsOf, type JsonSchema } from './json-schema.ts'
import { problemSchema } from './problem-schema.ts'

/** The part of OpenAPI 3.1 (spec.openapis.org/oas/v3.1.1) that we write. */
export interface ApiDocument {
  openapi: '3.1.1'
  info: { title: string; version: string }
  servers: { url: string }[]
  tags: { name: string }[]
  paths: Record<string, Record<string, ApiOperation>>
  components: { schemas: Record<string, JsonSchema>; responses: Record<string, ApiResponse> }
}
export interface ApiOperation {
  operationId: string
  summary?: string
  tags: string[]
  parameters: ApiParameter[]
  requestBody?: { required: true; content: ApiContent }
  responses: Record<string, ApiResponse | { $ref: string }>
}
export interface ApiParameter {
  name: string
  in: 'path' | 'query'
  required: boolean
  schema: JsonSchema
}
export interface ApiResponse {
  description: string
  content?: ApiContent
}
type ApiContent = Record<string, { schema: JsonSchema }>

const problem = { $ref: '#/components/responses/Problem' } as const

/** Describes routes as an OpenAPI document. */
export function openApi(routes: readonly Route[], { title, version }: { title: string; version: string }): ApiDocument {
  const paths: ApiDocument['paths'] = {}
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] ??= {}
    paths[path][route.method.toLowerCase()] = operation(route)
  }
  const tags = [...new Set(routes.map(tagOf))].map((name) => ({ name }))
  return {
    openapi: '3.1.1',
    info: { title, version },
    servers: [{ url: '/' }],
    tags,
    paths,
    components: { schemas: { Problem: problemSchema }, responses: { Problem: problemResponse } },
  }
}

const problemResponse: ApiResponse = {
  description: 'What went wrong, where, and how to mend it (RFC 9457).',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
}

function operation(route: Route): ApiOperation {
  const body = route.body === undefined ? rawContent(route) : json(route.body.jsonSchema)
  return {
    operationId: operationId(route),
    ...(route.summary === undefined ? {} : { summary: route.summary }),
    tags: [tagOf(route)],
    parameters: [...pathParameters(route), ...queryParameters(route)],
    ...(body === undefined ? {} : { requestBody: { required: true, content: body } }),
    responses: responses(route),
  }
}

function responses(route: Route): ApiOperation['responses'] {
  const empty = route.status === 204
  const success: ApiResponse = empty
    ? { description: 'Done; nothing to say.' }
    : { description: 'Done.', content: json(route.response?.jsonSchema) }
  const takesInput =
    route.body !== undefined || route.rawBody !== undefined || fieldsOf(route.params.jsonSchema).length > 0
  return {
    [String(route.status ?? 200)]: success,
    ...(takesInput || fieldsOf(route.query.jsonSchema).length > 0 ? { 400: problem } : {}),
    ...(route.method === 'GET' ? { 404: problem } : {}),
    ...(route.body === undefined && route.rawBody === undefined ? {} : { 413: problem, 415: problem }),
    default: problem,
  }
}

function pathParameters(route: Route): ApiParameter[] {
  const schemas = new Map(fieldsOf(route.params.jsonSchema).map(({ name, schema }) => [name, schema]))
  return [...route.path.matchAll(/:(\w+)/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: schemas.get(name) ?? { type: 'string' },
  }))
}

function queryParameters(route: Route): ApiParameter[] {
  return fieldsOf(route.query.jsonSchema).map(({ name, required, schema }) => ({ name, in: 'query', required, schema }))
}

function rawContent({ rawBody }: Route): ApiContent | undefined {
  if (rawBody === undefined) return undefined
  return Object.fromEntries(Object.entries(rawBody).map(([type, schema]) => [type, { schema: cleanSchema(schema) }]))
}

function json(schema: object | undefined): ApiContent {
  return { 'application/json': { schema: cleanSchema(schema ?? {}) } }
}

/** `GET /films/:id/reviews` is `getFilmsByIdReviews`. */
function operationId({ method, path }: Route): string {
  const words = path
    .split('/')
    .filter((segment) => segment !== '')
    .flatMap((segment) => (segment.startsWith(':') ? ['by', segment.slice(1)] : segment.split(/[^A-Za-z0-9]+/)))
  return method.toLowerCase() + (words.length === 0 ? 'Root' : words.map(capital).join(''))
}

function tagOf({ path }: Route): string {
  return path.split('/')[1] || 'root'
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
