import { create, createFileRegistry, type DescMessage, type Message } from '@bufbuild/protobuf'
import {
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  type Timestamp,
  TimestampSchema,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt'
import { describe, expect, expectTypeOf, onTestFinished, test } from 'vitest'
import { on } from '../../delivery/on.ts'
import { fromCloudEvent, toCloudEvent } from '../../events/cloudevents/log-record.ts'
import { breaksOf, contractOf } from '../../events/contracts/judge.ts'
import { type EventDefinition, event } from '../../events/event.ts'
import { newRecord } from '../../events/publish.ts'
import { t } from '../../kernel/schema.ts'
import { app } from '../../platform/app-definition.ts'
import { testApp } from '../../testing/test-app.ts'
import { protobuf } from './protobuf.ts'

type Field = [name: string, number: number, type: Type, label?: Label]
const { STRING, INT32, INT64, BYTES, MESSAGE } = Type

/** A message as generated code would have it. */
function messageOf(fields: readonly Field[]): DescMessage {
  const file = create(FileDescriptorProtoSchema, {
    name: 'shop.proto',
    package: 'shop',
    syntax: 'proto3',
    messageType: [
      {
        name: 'OrderPaid',
        field: fields.map(([name, number, type, label = Label.OPTIONAL]) => ({
          name,
          number,
          type,
          label,
          ...(type === MESSAGE ? { typeName: '.shop.OrderPaid' } : {}),
        })),
      },
    ],
  })
  const found = createFileRegistry(file, () => undefined).getMessage('shop.OrderPaid')
  if (found === undefined) throw new Error('no message')
  return found
}

const OrderPaid = messageOf([
  ['order', 1, STRING],
  ['cents', 2, INT64],
])
type OrderPaid = Message & { order: string; cents: bigint }
const orderPaid = event('order.paid', protobuf(OrderPaid), { key: (data) => (data as OrderPaid).order })
const paid = (order: string, cents: bigint) => create(OrderPaid, { order, cents } as Record<string, unknown>)
const stored = (record: { version: number; data: string }) => ({
  ...record,
  position: 1,
  id: 'x',
  type: 'order.paid',
  key: null,
  meta: null,
  at: '2026-01-31 12:00:00+00',
})

describe('data as Protobuf', () => {
  test('has the type of its message', () => {
    const at = event('at', protobuf(TimestampSchema))
    expectTypeOf(at).toExtend<EventDefinition<Timestamp>>()
    on('ats', at, ({ data }) => expectTypeOf(data.seconds).toEqualTypeOf<bigint>())
    // @ts-expect-error no such field
    event('at', protobuf(TimestampSchema), { key: 'second' })
  })

  test('is kept as bytes and read as the message', () => {
    const record = newRecord(orderPaid, paid('o-1', 5n))
    expect(record).toMatchObject({ key: 'o-1', data: '{"data_base64":"CgNvLTEQBQ=="}' })
    expect(orderPaid.read(record)).toEqual(paid('o-1', 5n))
  })

  test('may be published in its JSON form, and nothing else', () => {
    expect(newRecord(orderPaid, { order: 'o-1', cents: '5' } as never).data).toBe('{"data_base64":"CgNvLTEQBQ=="}')
    for (const wrong of [{ order: 1 }, { nothing: 1 }, 'text', null])
      expect(() => newRecord(orderPaid, wrong as never)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }))
    expect(() => newRecord(orderPaid, paid('o', 'x' as never))).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    )
  })

  test('of an older JSON version is brought to the message', () => {
    const second = event('order.paid', protobuf(OrderPaid), {
      version: 2,
      upcast: { 1: (d) => ({ order: String(d.order), cents: String(Number(d.euros) * 100) }) as never },
    })
    expect(second.read({ version: 1, data: '{"order":"o","euros":3}' })).toEqual(paid('o', 300n))
  })

  test('travels as a CloudEvent both ways', () => {
    const record = newRecord(orderPaid, paid('o-1', 5n))
    const sent = toCloudEvent(stored(record), { event: orderPaid })
    expect(sent).toMatchObject({ datacontenttype: 'application/protobuf', data_base64: 'CgNvLTEQBQ==' })
    expect(fromCloudEvent(sent, [orderPaid]).data).toEqual(paid('o-1', 5n))
    expect(() => fromCloudEvent({ ...sent, data_base64: '////' }, [orderPaid])).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID' }),
    )
  })

  test('is published, stored and delivered', async () => {
    const seen: unknown[] = []
    const running = await testApp(
      app('shop', { counter: on('counter', orderPaid, ({ data }) => void seen.push(data)) }),
    )
    onTestFinished(() => running.stop())
    await running.publish(orderPaid, paid('o-1', 2n ** 60n))
    await running.settled()
    expect(seen).toEqual([paid('o-1', 2n ** 60n)])
    expect(await running.sql`select format from millrace.contracts`).toEqual([{ format: 'protobuf' }])
  })
})

describe('compatibility is that of the wire', () => {
  const declared = (fields: readonly Field[]): EventDefinition =>
    event('e', protobuf(messageOf(fields))) as unknown as EventDefinition
  const gaps = (from: EventDefinition, to: EventDefinition): string[] =>
    breaksOf(to, [{ ...contractOf(from), id: 1, compatibility: 'backward', registeredAt: '' }]).flatMap((one) =>
      one.gaps.map(({ path, why }) => `${path} ${why}`),
    )

  const base: readonly Field[] = [
    ['a', 1, STRING],
    ['n', 2, INT32],
  ]
  test.each<[string, readonly Field[], readonly Field[]]>([
    ['a field more', base, [...base, ['c', 3, INT64]]],
    ['a field less', base, [['a', 1, STRING]]],
    [
      'another name',
      base,
      [
        ['b', 1, STRING],
        ['n', 2, INT32],
      ],
    ],
    [
      'a wider number',
      base,
      [
        ['a', 1, BYTES],
        ['n', 2, INT64],
      ],
    ],
    ['itself inside', [...base, ['next', 3, MESSAGE]], [...base, ['next', 3, MESSAGE], ['c', 4, STRING]]],
  ])('%s fits', (_, from, to) => {
    expect(gaps(declared(from), declared(to))).toEqual([])
  })

  test.each<[string, readonly Field[], readonly Field[], string]>([
    [
      'another type',
      base,
      [
        ['a', 1, INT32],
        ['n', 2, INT32],
      ],
      '/a field number 1 has another type',
    ],
    ['a narrower number', [['n', 2, INT64]], [['n', 2, INT32]], '/n field number 2 has another type'],
    [
      'a list',
      base,
      [
        ['a', 1, STRING, Label.REPEATED],
        ['n', 2, INT32],
      ],
      '/a field number 1 has another type',
    ],
  ])('%s breaks', (_, from, to, gap) => {
    expect(gaps(declared(from), declared(to))).toEqual([gap])
  })

  test('another format breaks without an upcaster', () => {
    const json = event('e', { a: t.string() }) as unknown as EventDefinition
    expect(gaps(json, declared(base))).toEqual([' the data is written in another format'])
  })
})
