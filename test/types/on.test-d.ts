import { on } from '../../src/delivery/on.ts'
import { matching } from '../../src/delivery/source.ts'
import { event } from '../../src/events/event.ts'
import { table } from '../../src/events/table.ts'
import { t } from '../../src/kernel/schema.ts'

const paid = event(
  'order.paid',
  { order: t.string(), total: t.int(), via: t.object({ card: t.string() }) },
  { key: 'order' },
)
const shipped = event('order.shipped', { order: t.string(), parcel: t.int() }, { key: 'order' })
const films = table('films', { id: t.int(), title: t.string(), price: t.int() }, { key: 'id', before: true })

on('a', paid, ({ data, type }) => {
  const total: number = data.total
  const name: 'order.paid' = type
  return [total, name]
})
// The type tells which of several it is.
on('b', [paid, shipped, films], (event) => {
  if (event.type === 'order.paid') return event.data.total
  if (event.type === 'order.shipped') return event.data.parcel
  return event.data.row?.title
})
on('c', [paid, shipped], ({ data }) => data.order)
on('d', matching('order.*'), ({ data }) => {
  const unknown: unknown = data
  return unknown
})
on('e', paid, { where: { key: ['a', 'b'], data: { total: { gte: 100, lt: 200 }, 'via.card': 'visa' } } }, () => {})
on('f', films, { where: { data: { op: ['insert', 'update'], 'row.price': { gt: 5 } } } }, () => {})
on('g', [paid, shipped], { where: { data: { order: 'x', parcel: { exists: true } } } }, () => {})
on('h', paid, { where: ({ data }) => data.total > 5 }, () => {})
on('i', matching('order.>'), { where: { data: { 'any.path': 1 } } }, () => {})
on('j', paid, { start: { time: new Date() }, backoff: { every: '10s' }, rate: '100/s', onFailure: 'stop' }, () => {})
on('k', paid, { fallback: ({ data, sql }) => sql`select ${data.total}` }, () => {})
on.batch('l', paid, { size: 500, maxWait: '50ms' }, async ({ events, sql, fail }) => {
  await sql`select ${events.map(({ data }) => data.total)}`
  for (const one of events) if (one.data.total < 0) fail(one, new Error('negative'))
})

// @ts-expect-error no such field
on('m', paid, ({ data }) => data.totl)
// @ts-expect-error a field of one of them only
on('n', [paid, shipped], ({ data }) => data.parcel)
// @ts-expect-error no such path
on('o', paid, { where: { data: { totl: 1 } } }, () => {})
// @ts-expect-error no such path further down
on('p', paid, { where: { data: { 'via.cord': 'visa' } } }, () => {})
// @ts-expect-error a text, not a number
on('q', paid, { where: { data: { 'via.card': 5 } } }, () => {})
// @ts-expect-error nothing unknown is known of what only a pattern names
on('r', matching('order.*'), ({ data }) => data.total)
// @ts-expect-error no such policy
on('s', paid, { onFailure: 'ignore' }, () => {})
// @ts-expect-error no rate
on('t', paid, { rate: 'fast' }, () => {})
// @ts-expect-error a batch has no concurrency
on.batch('u', paid, { concurrency: 4 }, () => {})
// @ts-expect-error no such column
on('v', films, { where: { data: { 'row.prize': 1 } } }, () => {})
