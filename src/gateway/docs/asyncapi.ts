import type { ConsumerDefinition } from '../../delivery/on.ts'
import type { EventDefinition } from '../../events/event.ts'
import { select } from '../../events/selection.ts'
import type { Route } from '../route.ts'
import { cleanSchema, type JsonSchema } from './json-schema.ts'

/** The part of AsyncAPI 3.0 (asyncapi.com/docs/reference/specification/v3.0.0) that we write. */
export interface AsyncApiDocument {
  asyncapi: '3.0.0'
  info: { title: string; version: string; description: string }
  defaultContentType: 'application/json'
  channels: Record<string, AsyncChannel>
  operations: Record<string, AsyncOperation>
  components: {
    schemas: Record<string, JsonSchema>
    messages: Record<string, AsyncMessage>
    messageTraits: Record<string, object>
  }
}
export interface AsyncChannel {
  address: string
  description: string
  messages: Record<string, Reference>
}
export interface AsyncOperation {
  action: 'send' | 'receive'
  channel: Reference
  summary: string
  messages: Reference[]
  bindings?: { http: { method: string; bindingVersion: '0.3.0' } }
}
export interface AsyncMessage {
  name: string
  title: string
  contentType: string
  payload: JsonSchema | Reference
  traits: Reference[]
}
interface Reference {
  $ref: string
}

export interface AsyncApiParts {
  title: string
  version: string
  events: readonly EventDefinition[]
  consumers: readonly ConsumerDefinition[]
  routes: readonly Route[]
}

/**
 * Describes what an app sends and receives: a channel for each event and for the changes of each table that is followed, an
 * operation that sends for each event, one that receives for each consumer and each route that takes CloudEvents.
 */
export function asyncApi({ title, version, events, consumers, routes }: AsyncApiParts): AsyncApiDocument {
  const document: AsyncApiDocument = {
    asyncapi: '3.0.0',
    info: { title, version, description: 'Events of the log. Over HTTP they travel as CloudEvents 1.0.' },
    defaultContentType: 'application/json',
    channels: {},
    operations: {},
    components: { schemas: {}, messages: {}, messageTraits: { cloudEvent } },
  }
  for (const event of events) addEvent(document, event)
  for (const consumer of consumers) addConsumer(document, consumer, events)
  for (const route of routes) if (route.events !== undefined) addRoute(document, route, route.events)
  return document
}

function addEvent({ channels, operations, components }: AsyncApiDocument, event: EventDefinition): void {
  const { name } = event
  const message = messageId(event)
  components.schemas[message] = payloadOf(event, message)
  components.messages[message] = messageOf(
    name,
    event.version,
    event.format?.contentType ?? 'application/json',
    message,
  )
  channels[name] = {
    address: name,
    description: `The event ${name}, version ${event.version}.`,
    messages: { [message]: { $ref: `#/components/messages/${message}` } },
  }
  operations[`publish.${name}`] = {
    action: 'send',
    channel: { $ref: `#/channels/${name}` },
    summary: `Publishes ${name}.`,
    messages: [{ $ref: `#/channels/${name}/messages/${message}` }],
  }
}

function messageOf(name: string, version: number, contentType: string, schema: string): AsyncMessage {
  return {
    name,
    title: `${name}, version ${version}`,
    contentType,
    payload: { $ref: `#/components/schemas/${schema}` },
    traits: [{ $ref: '#/components/messageTraits/cloudEvent' }],
  }
}

function payloadOf({ schema, format }: EventDefinition, at: string): JsonSchema {
  if (format !== undefined) return { type: 'string', description: `Bytes: ${format.contentType}.` }
  // References inside mean the schema itself, which lies deeper here.
  const text = JSON.stringify(cleanSchema(schema.outputSchema ?? {}))
  return JSON.parse(text.replaceAll('"$ref":"#', `"$ref":"#/components/schemas/${at}`)) as JsonSchema
}

/** One operation for each channel that the consumer follows. */
function addConsumer(
  document: AsyncApiDocument,
  consumer: ConsumerDefinition,
  events: readonly EventDefinition[],
): void {
  const { name, sources } = consumer
  const channels = sources.flatMap((source): string[] => {
    if (source.kind === 'event') return [source.name]
    if (source.kind === 'changes') return [changesChannel(document, source.table)]
    const { wants } = select({ types: [], patterns: [source.pattern] })
    return events.filter(({ name: type }) => wants({ type } as Parameters<typeof wants>[0])).map((event) => event.name)
  })
  for (const channel of new Set(channels)) {
    const messages = Object.keys(document.channels[channel]?.messages ?? {})
    document.operations[channels.length === 1 ? `consume.${name}` : `consume.${name}.${channel}`] = {
      action: 'receive',
      channel: { $ref: `#/channels/${channel}` },
      summary: `The consumer ${name}.`,
      messages: messages.map((message) => ({ $ref: `#/channels/${channel}/messages/${message}` })),
    }
  }
}

function changesChannel(
  { channels, components }: AsyncApiDocument,
  table: { name: string; changeType: string; schema: EventDefinition['schema'] },
): string {
  const channel = `change.${table.name}`
  const row = cleanSchema(table.schema.jsonSchema ?? {})
  const change: JsonSchema = {
    type: 'object',
    required: ['op', 'table', 'key', 'row', 'before'],
    properties: {
      op: { enum: ['snapshot', 'insert', 'update', 'delete', 'truncate'] },
      table: { const: table.name },
      key: { type: 'string' },
      row: { anyOf: [row, { type: 'null' }] },
      before: { anyOf: [{ type: 'object' }, { type: 'null' }] },
      unchanged: { type: 'array', items: { type: 'string' } },
    },
  }
  components.schemas[channel] = change
  components.messages[channel] = messageOf(table.changeType, 1, 'application/json', channel)
  channels[channel] = {
    address: table.changeType,
    description: `Changes of the table ${table.name}.`,
    messages: { [channel]: { $ref: `#/components/messages/${channel}` } },
  }
  return channel
}

function addRoute(document: AsyncApiDocument, { method, path }: Route, events: readonly EventDefinition[]): void {
  const channel = `http.${
    path
      .split(/[^A-Za-z0-9]+/)
      .filter((word) => word !== '')
      .join('.') || 'root'
  }`
  const ids = events.map(messageId)
  document.channels[channel] = {
    address: path,
    description: 'Takes CloudEvents 1.0 over HTTP: structured, batch or binary.',
    messages: Object.fromEntries(ids.map((id) => [id, { $ref: `#/components/messages/${id}` }])),
  }
  document.operations[`receive.${channel}`] = {
    action: 'receive',
    channel: { $ref: `#/channels/${channel}` },
    summary: `${method} ${path}`,
    messages: ids.map((id) => ({ $ref: `#/channels/${channel}/messages/${id}` })),
    bindings: { http: { method, bindingVersion: '0.3.0' } },
  }
}

const messageId = ({ name, version }: EventDefinition): string => `${name}.v${version}`

const text: JsonSchema = { type: 'string' }
const cloudEvent = {
  headers: {
    type: 'object',
    description: 'Context attributes of CloudEvents 1.0; in the binary mode of HTTP with the prefix ce-.',
    required: ['specversion', 'id', 'source', 'type'],
    properties: {
      specversion: { const: '1.0' },
      id: text,
      source: { type: 'string', format: 'uri-reference' },
      type: text,
      subject: text,
      time: { type: 'string', format: 'date-time' },
      dataschema: { type: 'string', format: 'uri' },
      partitionkey: text,
      correlationid: text,
      causationid: text,
      traceparent: text,
    },
  },
}
