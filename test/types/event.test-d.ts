import { expectTypeOf, test } from 'vitest'
import { on } from '../../src/delivery/on.ts'
import type { OlderData } from '../../src/events/contracts/upcast.ts'
import { event } from '../../src/events/event.ts'
import type { StandardSchema } from '../../src/kernel/schema.ts'
import { t } from '../../src/kernel/schema.ts'

const paid = { order: t.string(), cents: t.int(), via: t.string() }

test('data has the type of the newest schema', () => {
  const orderPaid = event('order.paid', paid, { version: 2, upcast: { 1: () => ({ order: '', cents: 1, via: '' }) } })
  on('receipts', orderPaid, ({ data, version }) => {
    expectTypeOf(data).toEqualTypeOf<{ order: string; cents: number; via: string }>()
    expectTypeOf(version).toEqualTypeOf<number>()
  })
})

test('an upcaster is told that old data is an object, and may say more', () => {
  event('order.paid', paid, {
    version: 3,
    upcast: {
      1: (data) => {
        expectTypeOf(data).toEqualTypeOf<OlderData>()
        return { order: String(data.order), euros: 1 }
      },
      2: (data: { order: string; euros: number }) => ({ order: data.order, cents: data.euros * 100, via: 'card' }),
    },
  })
})

test('the last upcaster must give the data as declared', () => {
  // @ts-expect-error `cents` is missing
  event('order.paid', paid, { version: 2, upcast: { 1: () => ({ order: '', via: '' }) } })
  // @ts-expect-error `cents` is a number
  event('order.paid', paid, { version: 3, upcast: { 2: () => ({ order: '', via: '', cents: '1' }) } })
  event('order.paid', paid, { version: 3, upcast: { 1: () => ({ anything: 1 }) } })
})

test('only older versions have upcasters', () => {
  // @ts-expect-error 2 is the version itself
  event('order.paid', paid, { version: 2, upcast: { 2: () => ({ order: '', cents: 1, via: '' }) } })
  // @ts-expect-error there is nothing before version 1
  event('order.paid', paid, { upcast: { 1: () => ({ order: '', cents: 1, via: '' }) } })
  // @ts-expect-error versions begin with 1
  event('order.paid', paid, { version: 2, upcast: { 0: () => ({ order: '', cents: 1, via: '' }) } })
})

test('a version that the compiler cannot count to leaves the upcasters open', () => {
  const version = Number('7')
  event('order.paid', paid, { version, upcast: { 6: () => ({ order: '' }) } })
  event('order.paid', paid, { version: 1200, upcast: { 1199: () => ({ order: '' }) } })
})

test('options and schemas of other libraries are checked', () => {
  // @ts-expect-error not an option
  event('order.paid', paid, { verson: 2 })
  // @ts-expect-error not a compatibility
  event('order.paid', paid, { compatibility: 'sideways' })
  // @ts-expect-error no such field
  event('order.paid', paid, { key: 'ordr' })
  const foreign = event('order.paid', {} as StandardSchema<{ order: string }>, { key: 'order' })
  on('receipts', foreign, ({ data }) => expectTypeOf(data).toEqualTypeOf<{ order: string }>())
})
