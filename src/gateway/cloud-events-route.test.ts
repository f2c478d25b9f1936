import { CloudEvent, HTTP } from 'cloudevents'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { toCloudEvent } from '../events/cloudevents/log-record.ts'
import { event } from '../events/event.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import { cloudEventsRoute } from './cloud-events-route.ts'
import { route } from './route.ts'

const orderPaid = event(
  'order.paid',
  { order: t.string(), cents: t.int() },
  { key: 'order', version: 2, upcast: { 1: (d) => ({ order: String(d.order), cents: Number(d.euros) * 100 }) } },
)
const orderSent = event('order.sent', { order: t.string() })
const intake = cloudEventsRoute('POST /events', { events: [orderPaid, orderSent], bodyLimit: 4000 })
const plain = route('POST /plain', { body: { n: t.int() } }, ({ body }) => body)

let running: TestApp
beforeAll(async () => {
  running = await testApp(app('shop', { intake, plain }), { http: true })
})
afterAll(() => running.stop())
beforeEach(() => running.sql`truncate millrace.events`)

const paid = { specversion: '1.0', id: '1', source: '/erp', type: 'order.paid', data: { order: 'o-1', cents: 5 } }
const post = async (body: string | Buffer, headers: Record<string, string>) => {
  const answer = await fetch(`${running.url}/events`, { method: 'POST', body, headers })
  return {
    status: answer.status,
    type: answer.headers.get('content-type'),
    body: (await answer.json()) as Record<string, unknown>,
  }
}
const structured = (given: object) =>
  post(JSON.stringify(given), { 'content-type': 'application/cloudevents+json; charset=utf-8' })
const batch = (given: object) => post(JSON.stringify(given), { 'content-type': 'application/cloudevents-batch+json' })
const stored = () =>
  running.sql<{
    id: string
    type: string
    version: number
    key: string | null
    data: object
    meta: Record<string, string>
  }>`select id, type, version, key, data, meta from millrace.events order by ordinal`

describe('CloudEvents over HTTP', () => {
  test('structured: stored with its origin, as what was declared', async () => {
    const answer = await structured({
      ...paid,
      id: 'a',
      subject: 's',
      time: '2020-01-01T00:00:00Z',
      correlationid: 'c-1',
    })
    const rows = await stored()
    expect(answer).toMatchObject({ status: 200, body: { ids: [rows[0]?.id] } })
    expect(rows).toEqual([
      expect.objectContaining({ type: 'order.paid', version: 2, key: 'o-1', data: { order: 'o-1', cents: 5 } }),
    ])
    expect(rows[0]?.meta).toMatchObject({
      source: '/erp',
      subject: 's',
      time: '2020-01-01T00:00:00Z',
      correlation: 'c-1',
    })
  })

  test('a batch: in its order, of several types, in one transaction', async () => {
    const sent = { ...paid, id: 'b2', type: 'order.sent', data: { order: 'o-2' } }
    const { status, body } = await batch([{ ...paid, id: 'b1' }, sent])
    const rows = await stored()
    expect(status).toBe(200)
    expect(body['ids']).toEqual(rows.map(({ id }) => id))
    expect(rows.map(({ type }) => type)).toEqual(['order.paid', 'order.sent'])
    expect(await batch([])).toMatchObject({ status: 200, body: { ids: [] } })
  })

  test('binary: attributes as headers, whatever the content type', async () => {
    const headers = {
      'ce-specversion': '1.0',
      'ce-id': 'c',
      'ce-source': '/erp',
      'ce-type': 'order.sent',
      'ce-subject': 'Gr%C3%BC%C3%9Fe',
    }
    expect(await post('{"order":"o-3"}', { ...headers, 'content-type': 'application/vnd.shop+json' })).toMatchObject({
      status: 200,
    })
    expect((await stored())[0]?.meta).toMatchObject({ subject: 'Grüße' })
    expect(await post('text', { ...headers, 'content-type': 'text/plain' })).toMatchObject({
      status: 400,
      body: { code: 'INPUT_INVALID', issues: [{ path: '/datacontenttype', message: 'must be application/json' }] },
    })
  })

  test('what the SDK of CloudEvents sends is taken', async () => {
    const given = new CloudEvent({ type: 'order.paid', source: '/sdk', data: { order: 'o', cents: 1 } })
    for (const message of [HTTP.binary(given), HTTP.structured(given.cloneWith({ id: 'other' }))])
      expect(await post(message.body as string, message.headers as Record<string, string>)).toMatchObject({
        status: 200,
      })
    expect(await stored()).toHaveLength(2)
  })

  test('a second event of the same source and id is dropped', async () => {
    const first = await structured({ ...paid, id: 'd' })
    expect(await structured({ ...paid, id: 'd' })).toEqual(first)
    await structured({ ...paid, id: 'd', source: '/other' })
    expect((await stored()).map(({ meta }) => meta['source'])).toEqual(['/erp', '/other'])
  })

  test('what one of us wrote in an older version is brought to the newest', async () => {
    const record = {
      position: 1,
      id: 'x',
      type: 'order.paid',
      version: 1,
      key: null,
      data: '{"order":"o-1","euros":3}',
      meta: null,
      at: '2026-01-31 12:00:00+00',
    }
    expect(await structured(toCloudEvent(record, { source: '/us' }))).toMatchObject({ status: 200 })
    expect((await stored())[0]).toMatchObject({ version: 2, data: { order: 'o-1', cents: 300 } })
  })

  test('all of a request or nothing: what is wrong is named with its place', async () => {
    const answer = await batch([
      { ...paid, id: 'e1' },
      { ...paid, id: 'e2', data: { order: 'o', cents: 'x' } },
    ])
    expect(answer).toMatchObject({
      status: 400,
      type: expect.stringMatching(/^application\/problem\+json/),
      body: { code: 'INPUT_INVALID', issues: [expect.objectContaining({ path: '/1/data/cents' })] },
    })
    expect(await stored()).toEqual([])
  })

  test.each([
    [{ ...paid, type: 'other' }, 400, '/type'],
    [{ ...paid, source: undefined }, 400, '/source'],
    [{ ...paid, time: 'noon' }, 400, '/time'],
    [{ ...paid, data: undefined }, 400, '/data'],
    [{ ...paid, dataschema: 'urn:millrace:event:order.paid:9' }, 503, undefined],
  ])('%j is refused', async (given, status, path) => {
    const { body, ...answer } = await structured(given)
    expect(answer).toMatchObject({ status, type: expect.stringMatching(/^application\/problem\+json/) })
    if (path !== undefined) expect(body['issues']).toEqual([expect.objectContaining({ path })])
    expect(await stored()).toEqual([])
  })

  test('a body that is too large is refused', async () => {
    expect((await structured({ ...paid, ext: 'x'.repeat(5000) })).status).toBe(413)
  })

  test.each([
    ['{', { 'content-type': 'application/cloudevents+json' }, 400],
    ['{}', { 'content-type': 'application/json' }, 415],
    ['x', { 'content-type': 'application/cloudevents+avro' }, 415],
  ])('%s as %j is refused', async (body, headers, status) => {
    expect((await post(body, headers)).status).toBe(status)
  })

  test('other routes still take JSON only', async () => {
    const answer = await fetch(`${running.url}/plain`, {
      method: 'POST',
      body: 'x',
      headers: { 'content-type': 'text/plain' },
    })
    expect(answer.status).toBe(415)
  })

  test('the contracts of what is taken are the app’s, and both documents name the route', async () => {
    expect(await running.sql`select event from millrace.contracts order by event`).toEqual([
      { event: 'order.paid' },
      { event: 'order.sent' },
    ])
    const openapi = (await (await fetch(`${running.url}/openapi.json`)).json()) as {
      paths: Record<string, { post: { requestBody: { content: object } } }>
    }
    expect(Object.keys(openapi.paths['/events']?.post.requestBody.content ?? {})).toEqual([
      'application/cloudevents+json',
      'application/cloudevents-batch+json',
    ])
    const asyncapi = (await (await fetch(`${running.url}/asyncapi.json`)).json()) as { operations: object }
    expect(Object.keys(asyncapi.operations)).toContain('receive.http.events')
  })
})

test.each([
  ['POST /events', { events: [] }, /takes no events/],
  ['POST /events', { events: [orderPaid], what: 1 }, /no option "what"/],
  ['PUT /events', { events: [orderPaid] }, /taken by POST/],
  ['POST /events/:id', { events: [orderPaid] }, /without parameters/],
])('%s %j is refused', (pattern, options, message) => {
  expect(() => cloudEventsRoute(pattern as 'POST /', options)).toThrow(message)
})
