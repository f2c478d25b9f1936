import { HTTP, type Message, CloudEvent as SdkEvent } from 'cloudevents'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { t } from '../../kernel/schema.ts'
import { event } from '../event.ts'
import type { LogRecord } from '../record.ts'
import { isTimestamp } from './attribute-values.ts'
import { type CloudEvent, checkCloudEvent } from './cloud-event.ts'
import { cloudEventsFromHttp, cloudEventsToHttp, cloudEventToHttp } from './http-binding.ts'
import { fromCloudEvent, toCloudEvent } from './log-record.ts'

const minimal: CloudEvent = { specversion: '1.0', id: '1', source: '/shop', type: 'order.paid' }

describe('a CloudEvent', () => {
  test.each([
    [{ ...minimal, id: '' }, '/id', 'must not be empty'],
    [{ ...minimal, source: 'a b' }, '/source', 'must be a URI reference (RFC 3986)'],
    [{ ...minimal, source: '1a:b' }, '/source', 'must be a URI reference (RFC 3986)'],
    [{ ...minimal, source: '%zz' }, '/source', 'must be a URI reference (RFC 3986)'],
    [{ ...minimal, dataschema: '/relative' }, '/dataschema', 'must be a URI with its scheme (RFC 3986)'],
    [{ ...minimal, subject: 'a\u0007' }, '/subject', 'has the character U+0007, which no attribute may have'],
    [{ ...minimal, subject: '\ud800' }, '/subject', 'has the character U+D800, which no attribute may have'],
    [{ ...minimal, subject: 7 }, '/subject', 'must be text'],
    [{ ...minimal, 'my-ext': 'x' }, '/my-ext', 'has a name with other than lower-case letters and digits'],
    [{ ...minimal, ext: 2 ** 31 }, '/ext', 'must be a whole number of 32 bits'],
    [{ ...minimal, ext: [1] }, '/ext', 'must be text, a whole number or a boolean'],
    [{ ...minimal, data_base64: 'a' }, '/data_base64', 'must be Base64 text'],
    [{ ...minimal, data: 1, data_base64: 'YQ==' }, '/data_base64', 'must not stand beside data'],
  ])('says what is wrong: %j', (value, path, message) => {
    expect(() => checkCloudEvent(value)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', issues: [{ path, message }] }),
    )
  })

  test('names every wrong attribute at once', () => {
    expect(() => checkCloudEvent({ specversion: '0.3', time: 'noon' })).toThrow(
      expect.objectContaining({
        issues: ['/id', '/source', '/type', '/specversion', '/time'].map((path) => expect.objectContaining({ path })),
      }),
    )
  })

  test.each([
    ['2024-02-29T00:00:00Z', true],
    ['2023-02-29T00:00:00Z', false],
    ['1900-02-29T00:00:00Z', false],
    ['2024-13-01T00:00:00Z', false],
    ['2024-00-01T00:00:00Z', false],
    ['2024-01-00T00:00:00Z', false],
    ['2024-01-01T24:00:00Z', false],
    ['2024-01-01T23:59:60Z', true],
    ['2024-01-01T00:00:00.1+14:00', true],
    ['2024-01-01 00:00:00Z', false],
  ])('a time is RFC 3339: %s %j', (text, valid) => {
    expect(isTimestamp(text)).toBe(valid)
  })
})

describe('over HTTP', () => {
  test('attributes travel percent-encoded', () => {
    const sent = { ...minimal, subject: 'Euro € "x" 100% 😀' }
    const { headers } = cloudEventToHttp(sent)
    expect(headers['ce-subject']).toBe('Euro%20%E2%82%AC%20%22x%22%20100%25%20%F0%9F%98%80')
    expect(cloudEventsFromHttp(cloudEventToHttp(sent)).events).toEqual([sent])
  })

  test('a quoted header is taken out of its quotes, and what is no escape stands for itself', () => {
    const headers = {
      'CE-SpecVersion': '1.0',
      'ce-id': '"a \\"b\\""',
      'ce-source': '/s',
      'ce-type': 't',
      'ce-ext': '5% of %C3%A4',
    }
    expect(cloudEventsFromHttp({ headers, body: new Uint8Array() }).events).toEqual([
      { specversion: '1.0', id: 'a "b"', source: '/s', type: 't', ext: '5% of ä' },
    ])
  })

  test.each([
    ['application/json', '{"a":1}', { data: { a: 1 } }],
    ['application/vnd.shop+json; charset=utf-8', '[1]', { data: [1] }],
    ['text/plain', 'Grüße', { data: 'Grüße' }],
    ['application/octet-stream', 'abc', { data_base64: 'YWJj' }],
    [undefined, '7', { data: 7 }],
    ['application/json', '', {}],
  ])('a body of type %s', (type, body, data) => {
    const headers = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 't', 'content-type': type }
    const [read] = cloudEventsFromHttp({ headers, body: Buffer.from(body) }).events
    expect(read).toEqual({
      specversion: '1.0',
      id: '1',
      source: '/s',
      type: 't',
      ...(type === undefined ? {} : { datacontenttype: type }),
      ...data,
    })
  })

  test.each([
    [{ 'content-type': 'application/json' }, '{}', 'MEDIA_TYPE_UNSUPPORTED'],
    [{ 'content-type': 'application/cloudevents+avro' }, '', 'MEDIA_TYPE_UNSUPPORTED'],
    [{ 'content-type': 'application/cloudevents+json' }, '{', 'INPUT_MALFORMED'],
    [{ 'content-type': 'application/cloudevents+json' }, '[]', 'INPUT_INVALID'],
    [{ 'content-type': 'application/cloudevents-batch+json' }, '{}', 'INPUT_INVALID'],
    [{ 'content-type': 'application/cloudevents+json; charset=klingon' }, '{}', 'INPUT_MALFORMED'],
    [{ 'ce-specversion': '1.0', 'ce-id': '%FF', 'ce-source': '/s', 'ce-type': 't' }, '', 'INPUT_MALFORMED'],
    [{ 'ce-id': '1' }, '', 'INPUT_INVALID'],
  ])('%j with the body %j is refused', (headers, body, code) => {
    expect(() => cloudEventsFromHttp({ headers, body: Buffer.from(body) })).toThrow(expect.objectContaining({ code }))
  })

  test('the wrong event of a batch is named', () => {
    const body = Buffer.from(JSON.stringify([minimal, { ...minimal, id: 7 }]))
    expect(() =>
      cloudEventsFromHttp({ headers: { 'content-type': 'application/cloudevents-batch+json' }, body }),
    ).toThrow(expect.objectContaining({ issues: [{ path: '/1/id', message: 'must be text' }] }))
  })
})

const plainText = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }).filter((text) => {
  try {
    checkCloudEvent({ ...minimal, subject: text })
    return true
  } catch {
    return false
  }
})
const extensionName = fc.stringMatching(/^[a-z0-9]{1,12}$/).map((name) => `x${name}`)
interface Content {
  datacontenttype: string
  data?: unknown
  data_base64?: string
}

const jsonOf = (value: unknown): Content => ({
  datacontenttype: 'application/json',
  data: JSON.parse(JSON.stringify(value)) as unknown,
})

function eventsOf(text: fc.Arbitrary<string>, content: fc.Arbitrary<Content>): fc.Arbitrary<CloudEvent> {
  const moment = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
  return fc
    .record(
      {
        id: text,
        source: fc.constantFrom('/shop', 'https://example.com/a?b#c', 'urn:x:y', '#f'),
        type: text,
        subject: text,
        time: moment.map((date) => date.toISOString()),
        dataschema: fc.constant('https://example.com/schema'),
        content,
        extensions: fc.dictionary(extensionName, fc.oneof(text, fc.boolean(), fc.integer()), { maxKeys: 3 }),
      },
      { requiredKeys: ['id', 'source', 'type', 'extensions'] },
    )
    .map(
      ({ content: data, extensions, ...rest }) =>
        ({ specversion: '1.0', ...rest, ...data, ...extensions }) as CloudEvent,
    )
}

const textContent = fc
  .string({ minLength: 1, unit: 'grapheme' })
  .map((data) => ({ datacontenttype: 'text/plain', data: `=${data}` }))
const byteContent = fc.uint8Array({ minLength: 1 }).map((bytes) => ({
  datacontenttype: 'application/octet-stream',
  data_base64: Buffer.from(bytes).toString('base64'),
}))
const anyEvent = eventsOf(plainText, fc.oneof(fc.jsonValue().map(jsonOf), textContent, byteContent))

const inHeaders = (sent: CloudEvent): object =>
  Object.fromEntries(
    Object.entries(sent).map(([name, value]) => [name, ['data', 'data_base64'].includes(name) ? value : String(value)]),
  )

describe('round trips', () => {
  test('nothing is lost in any mode', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 3 }), (events) => {
        expect(cloudEventsFromHttp(cloudEventsToHttp(events))).toEqual({ mode: 'batch', events })
        for (const sent of events) {
          expect(cloudEventsFromHttp(cloudEventToHttp(sent, 'structured')).events).toEqual([sent])
          expect(cloudEventsFromHttp(cloudEventToHttp(sent, 'binary')).events.map(inHeaders)).toEqual([inHeaders(sent)])
        }
      }),
      { numRuns: 300 },
    )
  })

  // The SDK percent-encodes nothing and loses data that is falsy, so only what it can carry is sent.
  const someObject = fc.record({ a: fc.integer(), b: fc.array(fc.string({ unit: 'grapheme' })) })
  const sdkSafe = eventsOf(
    fc.stringMatching(/^[A-Za-z0-9/:_.~-]{1,12}$/),
    fc.oneof(someObject.map(jsonOf), byteContent),
  )

  test('the SDK of CloudEvents reads what we write', () => {
    fc.assert(
      fc.property(sdkSafe, (sent) => {
        const structured = cloudEventToHttp(sent, 'structured')
        const read = HTTP.toEvent({
          headers: structured.headers,
          body: Buffer.from(structured.body).toString(),
        }) as SdkEvent
        expect(withoutBytes(read.toJSON() as CloudEvent)).toEqual(withoutBytes(sent))
        const binary = cloudEventToHttp(sent, 'binary')
        const isBytes = sent.data_base64 !== undefined
        const body = isBytes ? Buffer.from(binary.body) : Buffer.from(binary.body).toString()
        const readBinary = HTTP.toEvent({ headers: binary.headers, body: body as string }) as SdkEvent
        expect(readBinary).toMatchObject({ id: sent.id, source: sent.source, type: sent.type })
        if (!isBytes && typeof sent.data === 'object') expect(readBinary.data ?? null).toEqual(sent.data ?? null)
      }),
      { numRuns: 200 },
    )
  })

  test('we read what the SDK of CloudEvents writes', () => {
    fc.assert(
      fc.property(sdkSafe, (sent) => {
        const { data_base64: base64, ...rest } = sent
        const given = new SdkEvent({
          ...rest,
          ...(base64 === undefined ? {} : { data: Buffer.from(base64, 'base64') }),
        } as never)
        const [structured] = cloudEventsFromHttp(messageOf(HTTP.structured(given))).events
        expect(comparable(structured)).toEqual(comparable(sent))
        const [binary] = cloudEventsFromHttp(messageOf(HTTP.binary(given))).events
        expect(binary).toMatchObject({ id: sent.id, source: sent.source, type: sent.type })
        if (typeof sent.data === 'object' && sent.data !== null) expect(binary?.data).toEqual(sent.data)
      }),
      { numRuns: 200 },
    )
  })
})

function messageOf({ headers, body }: Message): { headers: Record<string, string>; body: Uint8Array } {
  const bytes =
    typeof body === 'string' || Buffer.isBuffer(body)
      ? Buffer.from(body as string)
      : Buffer.from(JSON.stringify(body ?? null))
  const texts = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
  return { headers: texts, body: body === undefined ? new Uint8Array() : bytes }
}

/** The SDK always names a time. */
function comparable(given: CloudEvent | undefined): object {
  const { time: _, ...rest } = given ?? minimal
  return rest
}

/** The SDK turns data_base64 into bytes of its own. */
function withoutBytes({ time: _, data, data_base64: base64, ...rest }: CloudEvent): object {
  return base64 === undefined ? { ...rest, data } : rest
}

const paid = event(
  'order.paid',
  { order: t.string(), cents: t.int() },
  { key: 'order', version: 2, upcast: { 1: (d) => ({ order: String(d.order), cents: Number(d.euros) * 100 }) } },
)
const record: LogRecord = {
  position: 7,
  id: '018f2c1e-7b3a-7cc0-9a57-3f6d2b8e4c11',
  type: 'order.paid',
  version: 1,
  key: 'o-1',
  data: '{"order":"o-1","euros":3}',
  meta: '{"cause":5,"correlation":"c-1","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}',
  at: '2026-01-31 12:00:00.123456+00',
}

describe('an event of the log', () => {
  test('is a CloudEvent with its origin as extensions', () => {
    const sent = toCloudEvent(record, { source: '/film-shop' })
    expect(sent).toEqual({
      specversion: '1.0',
      id: record.id,
      source: '/film-shop',
      type: 'order.paid',
      time: '2026-01-31T12:00:00.123456Z',
      datacontenttype: 'application/json',
      dataschema: 'urn:millrace:event:order.paid:1',
      partitionkey: 'o-1',
      correlationid: 'c-1',
      causationid: '5',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      data: { order: 'o-1', euros: 3 },
    })
    expect(checkCloudEvent(sent)).toEqual(sent)
  })

  test('is in the newest shape when its declaration is given', () => {
    expect(toCloudEvent(record, { event: paid })).toMatchObject({
      source: 'urn:millrace:log',
      dataschema: 'urn:millrace:event:order.paid:2',
      data: { order: 'o-1', cents: 300 },
    })
  })

  test('keeps where a received event came from', () => {
    const meta = JSON.stringify({ source: '/elsewhere', subject: 's', time: '2020-01-01T00:00:00Z' })
    expect(toCloudEvent({ ...record, meta })).toMatchObject({
      source: '/elsewhere',
      subject: 's',
      time: '2020-01-01T00:00:00Z',
    })
  })
})

describe('a CloudEvent for the log', () => {
  test('finds its declaration and keeps its origin', () => {
    const received = {
      ...minimal,
      subject: 's',
      time: '2020-01-01T00:00:00Z',
      correlationid: 'c',
      ext: 1,
      data: { order: 'o', cents: 1 },
    }
    expect(fromCloudEvent(received, [paid])).toEqual({
      event: paid,
      data: { order: 'o', cents: 1 },
      options: { id: '["/shop","1"]', source: '/shop', subject: 's', time: '2020-01-01T00:00:00Z', correlation: 'c' },
    })
  })

  test('of an older version is brought to the newest', () => {
    expect(fromCloudEvent(toCloudEvent(record), [paid]).data).toEqual({ order: 'o-1', cents: 300 })
    const data_base64 = Buffer.from('{"order":"o","cents":2}').toString('base64')
    expect(fromCloudEvent({ ...minimal, data_base64 }, [paid]).data).toEqual({ order: 'o', cents: 2 })
  })

  test.each([
    [{ ...minimal, type: 'other' }, 'INPUT_INVALID', '/3/type'],
    [minimal, 'INPUT_INVALID', '/3/data'],
    [{ ...minimal, datacontenttype: 'text/plain', data: 'x' }, 'INPUT_INVALID', '/3/datacontenttype'],
    [{ ...minimal, data_base64: 'eA==' }, 'INPUT_INVALID', '/3/data_base64'],
    [{ ...minimal, dataschema: 'urn:millrace:event:order.paid:3', data: {} }, 'EVENT_NEWER', undefined],
  ])('that cannot be taken is refused: %j', (received, code, path) => {
    expect(() => fromCloudEvent(received, [paid], '/3')).toThrow(
      expect.objectContaining({ code, issues: path === undefined ? [] : [expect.objectContaining({ path })] }),
    )
  })
})
