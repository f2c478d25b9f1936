import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { on } from '../../delivery/on.ts'
import { t } from '../../kernel/schema.ts'
import { app } from '../../platform/app-definition.ts'
import { type TestApp, testApp } from '../../testing/test-app.ts'
import { testDatabase } from '../../testing/test-postgres.ts'
import { event } from '../event.ts'

const paidV1 = event('order.paid', { order: t.string(), euros: t.number() }, { key: 'order' })
interface PaidV2 {
  order: string
  cents: number
}
const upcastTo2 = (data: { order: string; euros: number }): PaidV2 => ({
  order: data.order,
  cents: Math.round(data.euros * 100),
})
const paidV3 = event(
  'order.paid',
  { order: t.string(), cents: t.int(), via: t.oneOf('card', 'bank') },
  {
    key: 'order',
    version: 3,
    upcast: { 1: upcastTo2, 2: (data: PaidV2) => ({ ...data, via: 'card' as const }) },
  },
)
const record = (version: number, data: unknown) => ({ version, data: JSON.stringify(data) })

describe('reading', () => {
  test('brings an older event through every step to the newest shape', () => {
    expect(paidV3.read(record(1, { order: 'o-1', euros: 12.5 }))).toEqual({ order: 'o-1', cents: 1250, via: 'card' })
    expect(paidV3.read(record(2, { order: 'o-1', cents: 1 }))).toEqual({ order: 'o-1', cents: 1, via: 'card' })
  })

  test('takes an event of the declared version as it is', () => {
    const step = vi.fn(() => ({ n: 0 }))
    const counted = event('counted', { n: t.int() }, { version: 2, upcast: { 1: step } })
    const parse = vi.spyOn(counted.schema, 'parse')
    expect(counted.read(record(2, { n: 7 }))).toEqual({ n: 7 })
    expect(step).not.toHaveBeenCalled()
    expect(parse).not.toHaveBeenCalled()
  })

  test('skips versions without a step', () => {
    const widened = event(
      'widened',
      { n: t.int(), note: t.optional(t.string()) },
      { version: 4, upcast: { 2: (d) => ({ n: Number(d.n) + 10 }) } },
    )
    expect(widened.read(record(1, { n: 1 }))).toEqual({ n: 11 })
    expect(widened.read(record(3, { n: 1 }))).toEqual({ n: 1 })
  })

  test('refuses an event of a newer version, for later', () => {
    expect(() => paidV1.read(record(2, {}))).toThrow(
      expect.objectContaining({ code: 'EVENT_NEWER', retryable: true, message: expect.stringContaining('version 2') }),
    )
  })

  test('refuses what a step makes wrong, naming event, versions and field', () => {
    const wrong = event('wrong', { n: t.int() }, { version: 2, upcast: { 1: (d) => ({ n: d.n as number }) } })
    expect(() => wrong.read(record(1, { n: 'x' }))).toThrow(
      expect.objectContaining({
        code: 'EVENT_UPCAST_FAILED',
        retryable: false,
        message: expect.stringMatching(/event wrong, version 1 brought to 2: \/n/),
        issues: [expect.objectContaining({ path: '/n' })],
      }),
    )
    const broken = event('broken', { n: t.int() }, { version: 2, upcast: { 1: () => JSON.parse('{') } })
    expect(() => broken.read(record(1, {}))).toThrow(
      expect.objectContaining({ code: 'EVENT_UPCAST_FAILED', cause: expect.any(SyntaxError) }),
    )
  })

  test('refuses an older event that no step fits to the new shape', () => {
    const stricter = event('stricter', { n: t.int(), via: t.string() }, { version: 2 })
    expect(() => stricter.read(record(1, { n: 1 }))).toThrow(expect.objectContaining({ code: 'EVENT_UPCAST_FAILED' }))
  })
})

test.each([
  [{ version: 2, upcast: { 2: () => ({ n: 1 }) } }, /upcast\[2\]/],
  [{ version: 2, upcast: { one: () => ({ n: 1 }) } }, /upcast\[one\]/],
  [{ version: 2, upcast: { 1: 'x' } }, /upcast\[1\]/],
  [{ compatibility: 'sideways' }, /compatibility must be one of backward/],
  [{ verson: 2 }, /no option "verson"/],
])('options that cannot be meant are refused: %j', (options, message) => {
  expect(() => event('e', { n: t.int() }, options as object)).toThrow(message)
})

describe('delivery', () => {
  let running: TestApp | undefined
  afterEach(() => running?.stop())

  test('gives handlers the newest shape and leaves the stored row alone', async () => {
    const seen: unknown[] = []
    const old = app('shop', { paidV1 })
    await using first = await testApp(old)
    await first.publish(paidV1, { order: 'o-1', euros: 3 })
    await first.settled()
    const receipts = on(
      'receipts',
      paidV3,
      { start: 'beginning' },
      ({ data, version }) => void seen.push({ ...data, version }),
    )
    running = await testApp(app('shop', { receipts }), { url: first.databaseUrl })
    await running.publish(paidV3, { order: 'o-2', cents: 5, via: 'bank' })
    await running.settled()
    expect(seen).toEqual([
      { order: 'o-1', cents: 300, via: 'card', version: 1 },
      { order: 'o-2', cents: 5, via: 'bank', version: 3 },
    ])
    const rows = await running.sql`select version, data from millrace.events order by ordinal`
    expect(rows[0]).toEqual({ version: 1, data: { order: 'o-1', euros: 3 } })
  })

  test('keeps an event of a newer version until code comes that knows it, beyond the last try', async () => {
    const seen: number[] = []
    const newer = event('counted', { n: t.int() }, { version: 2, upcast: { 1: (data: { n: number }) => data } })
    const older = event('counted', { n: t.int() })
    const definition = (source: typeof newer) =>
      app('count', {
        counter: on(
          'counter',
          source,
          { start: 'beginning', attempts: 1, backoff: { first: 100 } },
          ({ data }) => void seen.push(data.n),
        ),
      })
    const database = await testDatabase()
    onTestFinished(() => database.drop())
    const before = await testApp(definition(older), { url: database.url })
    await before.publish(newer, { n: 1 })
    await expect
      .poll(() => before.sql`select error->>'code' as code, state, attempt > 2 as often from millrace.deliveries`, {
        timeout: 20_000,
      })
      .toEqual([{ code: 'EVENT_NEWER', state: 'retrying', often: true }])
    expect(seen).toEqual([])
    await before.stop()
    const after = await testApp(definition(newer), { url: database.url })
    await expect.poll(() => seen, { timeout: 20_000 }).toEqual([1])
    await after.stop()
  })
})
