import { cloudEventsFromHttp } from '../events/cloudevents/http-binding.ts'
import { fromCloudEvent, type ReceivedEvent } from '../events/cloudevents/log-record.ts'
import type { EventDefinition } from '../events/event.ts'
import { PlatformError } from '../kernel/errors.ts'
import { resolveOptions } from '../kernel/options.ts'
import { compileSchema } from '../kernel/schema.ts'
import { parsePattern } from './pattern.ts'
import type { Route } from './route.ts'

export interface CloudEventsRouteOptions {
  /** What is taken here, by the `type` of a CloudEvent. Others are refused. */
  events: readonly EventDefinition[]
  /** One line for the documentation. */
  summary?: string
  /** Largest body in bytes. @default 1 MiB */
  bodyLimit?: number
}

/**
 * An HTTP endpoint that takes CloudEvents 1.0 into the log: structured, as a batch, or binary. The data is checked against
 * the declared events; all events of a request are published, in one transaction, or none. A second event of the same
 * `source` and `id` is dropped, for as long as the event's `dedupe` says. Answers `{ ids }` with the ids in the log, in
 * the order of the request, once they are durable.
 * @param pattern `'POST /events'`, without parameters
 * @throws ROUTE_INVALID, OPTION_INVALID. Callers get INPUT_INVALID naming each place (`/0/data/order`), INPUT_MALFORMED,
 * MEDIA_TYPE_UNSUPPORTED, INPUT_TOO_LARGE, EVENT_NEWER
 */
export function cloudEventsRoute(pattern: `POST /${string}`, options: CloudEventsRouteOptions): Route {
  const where = `cloudEventsRoute("${pattern}")`
  const defaults = { events: [] as readonly EventDefinition[], summary: undefined, bodyLimit: undefined }
  const { events, summary, bodyLimit } = resolveOptions<object, CloudEventsRouteOptions>(where, defaults, options)
  const { method, path, parameters } = parsePattern(pattern)
  if (method !== 'POST' || parameters.length > 0)
    throw new PlatformError('ROUTE_INVALID', `${where}: CloudEvents are taken by POST at a path without parameters`)
  if (!Array.isArray(events) || events.length === 0)
    throw new PlatformError('OPTION_INVALID', `${where} takes no events`, {
      hint: 'Name them: { events: [orderPaid] }.',
    })
  return Object.freeze({
    kind: 'route',
    name: pattern,
    method,
    path,
    params: compileSchema({}),
    query: compileSchema({}),
    body: undefined,
    response: undefined,
    status: undefined,
    summary: summary ?? `CloudEvents: ${events.map(({ name }) => name).join(', ')}`,
    bodyLimit,
    rawBody: { 'application/cloudevents+json': eventSchema, 'application/cloudevents-batch+json': batchSchema },
    events,
    async handle({ request, body, transaction }) {
      const received = cloudEventsFromHttp({ headers: request.headers, body: body as Uint8Array })
      const isBatch = received.mode === 'batch'
      const checked = received.events.map((one, i) => check(one, events, isBatch ? `/${i}` : ''))
      const ids: string[] = []
      await transaction(async ({ publish }) => {
        for (const { event, data, options: terms } of checked) ids.push(await publish(event, data, terms))
      })
      return { ids }
    },
  } satisfies Route)
}

/** What is wrong with the data is told as a place in the request. */
function check(one: unknown, events: readonly EventDefinition[], at: string): ReceivedEvent {
  const received = fromCloudEvent(one, events, at)
  const { event, data } = received
  try {
    event.schema.parse(data, `${at}/data: event ${event.name}`)
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error
    const issues = error.issues.map(({ path, message }) => ({ path: `${at}/data${path}`, message }))
    throw new PlatformError(error.code, error.message, { cause: error, issues })
  }
  return received
}

const text = { type: 'string', minLength: 1 }
const eventSchema = {
  type: 'object',
  required: ['specversion', 'id', 'source', 'type'],
  properties: {
    specversion: { const: '1.0' },
    id: text,
    source: { type: 'string', format: 'uri-reference' },
    type: text,
    subject: text,
    time: { type: 'string', format: 'date-time' },
    datacontenttype: text,
    dataschema: { type: 'string', format: 'uri' },
    data: {},
    data_base64: { type: 'string' },
  },
}
const batchSchema = { type: 'array', items: eventSchema }
