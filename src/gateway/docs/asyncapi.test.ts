import { describe, expect, test } from 'vitest'
import { on } from '../../delivery/on.ts'
import { matching } from '../../delivery/source.ts'
import { event } from '../../events/event.ts'
import { table } from '../../events/table.ts'
import { type StandardSchema, t } from '../../kernel/schema.ts'
import { cloudEventsRoute } from '../cloud-events-route.ts'
import { asyncApi } from './asyncapi.ts'

const films = table('films', { id: t.int(), title: t.string() }, { key: 'id' })
const orderPaid = event(
  'order.paid',
  { order: t.string(), cents: t.int() },
  { version: 2, upcast: { 1: () => ({ order: '', cents: 0 }) } },
)
const orderSent = event('order.sent', { order: t.string() })
const tree = {
  '~standard': {
    version: 1,
    vendor: 'x',
    validate: (value: unknown) => ({ value }),
    jsonSchema: {
      input: () => ({}),
      output: () => ({ type: 'object', properties: { children: { type: 'array', items: { $ref: '#' } } } }),
    },
  },
} as unknown as StandardSchema<{ children?: unknown[] }>
const grown = event('tree.grown', tree)

const sample = asyncApi({
  title: 'film-shop',
  version: '1.2.3',
  events: [orderPaid, orderSent, grown],
  consumers: [
    on('receipts', orderPaid, () => undefined),
    on('orders', matching('order.*'), () => undefined),
    on('counts', films, () => undefined),
  ],
  routes: [cloudEventsRoute('POST /in/events', { events: [orderPaid, orderSent] })],
})

describe('the AsyncAPI document', () => {
  test('describes each event as a channel with its message', () => {
    expect(sample).toMatchObject({ asyncapi: '3.0.0', info: { title: 'film-shop', version: '1.2.3' } })
    expect(sample.channels['order.paid']).toMatchObject({
      address: 'order.paid',
      messages: { 'order.paid.v2': { $ref: '#/components/messages/order.paid.v2' } },
    })
    expect(sample.components.schemas['order.paid.v2']).toEqual({
      type: 'object',
      required: ['order', 'cents'],
      properties: { order: { type: 'string' }, cents: { type: 'integer' } },
      additionalProperties: false,
    })
    expect(sample.components.messages['order.paid.v2']).toMatchObject({
      name: 'order.paid',
      contentType: 'application/json',
    })
    expect(sample.operations['publish.order.paid']).toMatchObject({
      action: 'send',
      channel: { $ref: '#/channels/order.paid' },
    })
  })

  test('has an operation for each consumer and channel, patterns and changes included', () => {
    const received = Object.entries(sample.operations).filter(([, { action }]) => action === 'receive')
    expect(received.map(([name, { channel }]) => [name, channel.$ref])).toEqual([
      ['consume.receipts', '#/channels/order.paid'],
      ['consume.orders.order.paid', '#/channels/order.paid'],
      ['consume.orders.order.sent', '#/channels/order.sent'],
      ['consume.counts', '#/channels/change.films'],
      ['receive.http.in.events', '#/channels/http.in.events'],
    ])
    expect(sample.channels['change.films']?.address).toBe('change:films')
  })

  test('keeps our own notes to itself', () => {
    expect(JSON.stringify(sample)).not.toContain('x-postgres')
  })

  // Of the official schema of AsyncAPI 3.0, as far as it touches what is written here.
  test('keeps to the rules of AsyncAPI 3.0', () => {
    expect(Object.keys(sample).sort()).toEqual([
      'asyncapi',
      'channels',
      'components',
      'defaultContentType',
      'info',
      'operations',
    ])
    for (const part of Object.values(sample.components))
      for (const key of Object.keys(part)) expect(key).toMatch(/^[\w.-]+$/)
    for (const [id, channel] of Object.entries(sample.channels)) {
      expect(id).toMatch(/^[\w.-]+$/)
      expect(typeof channel.address).toBe('string')
      expect(Object.keys(channel).sort()).toEqual(['address', 'description', 'messages'])
    }
    for (const operation of Object.values(sample.operations)) {
      expect(['send', 'receive']).toContain(operation.action)
      expect(operation.channel.$ref).toMatch(/^#\/channels\/[^/]+$/)
      // Messages of an operation must be those of its channel, not of the components.
      for (const { $ref } of operation.messages)
        expect($ref.startsWith(`${operation.channel.$ref}/messages/`)).toBe(true)
    }
  })

  test('has no reference that leads nowhere', () => {
    const references = [...JSON.stringify(sample).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref = '']) => ref)
    expect(references.length).toBeGreaterThan(15)
    for (const reference of references) expect(resolve(sample, reference), reference).toBeDefined()
    expect(references).toContain('#/components/schemas/tree.grown.v1')
  })

  test('is valid without events', () => {
    expect(asyncApi({ title: 'x', version: '0', events: [], consumers: [], routes: [] })).toMatchObject({
      channels: {},
      operations: {},
    })
  })
})

function resolve(root: unknown, reference: string): unknown {
  return reference
    .slice(2)
    .split('/')
    .reduce<unknown>((at, token) => (typeof at === 'object' && at !== null ? Reflect.get(at, token) : undefined), root)
}
