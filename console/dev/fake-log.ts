import type { EventDetail, EventFilter, EventPage, EventSummary } from '../../src/admin/contract.ts'
import { films } from './film-shop.ts'

export interface FakeRecord {
  position: number
  type: string
  key: string | null
  at: number
  data: Record<string, unknown>
  meta: Record<string, unknown>
}

const gapMs = 90
// One dozen of the log, again and again: an order is its event and two changes; a price change is one.
const pattern = [
  'order',
  'stock',
  'row',
  'price',
  'order',
  'low',
  'stock',
  'row',
  'order',
  'stock',
  'row',
  'price',
] as const

/** A number in [0, 1) that depends on its inputs alone. */
export function dice(position: number, salt = 0): number {
  let x = Math.imul(position ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(salt + 1, 0xc2b2ae35)
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d)
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39)
  return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32
}

/** A log without storage: what stands at a position follows from the position, except for what was added by hand. */
export class FakeLog {
  head: number
  readonly #startHead: number
  readonly #startedAt = Date.now()
  readonly #added = new Map<number, FakeRecord>()

  constructor(head: number) {
    this.head = head
    this.#startHead = head
  }

  /** Adds what the pattern says stands next, or an event made by hand. */
  append(record?: Pick<FakeRecord, 'type' | 'key' | 'data'>): FakeRecord {
    this.head += 1
    const added = { ...(record ? { meta: {}, ...record } : patterned(this.head)), position: this.head, at: Date.now() }
    this.#added.set(this.head, added)
    return added
  }

  at(position: number): FakeRecord | undefined {
    if (position < 1 || position > this.head) return undefined
    const at = this.#startedAt - (this.#startHead - position) * gapMs
    return this.#added.get(position) ?? { ...patterned(position), position, at }
  }

  page({ before = this.head + 1, limit = 50, ...filter }: EventFilter): EventPage {
    const events: EventSummary[] = []
    let position = Math.min(before - 1, this.head)
    for (; position > 0 && events.length < limit; position -= 1) {
      const record = this.at(position)
      if (record && matches(record, filter)) events.push(summary(record))
    }
    return { events, head: this.head, ...(position > 0 && { next: position + 1 }) }
  }
}

export function matches(record: FakeRecord, { type, key, text }: EventFilter): boolean {
  if (type !== undefined && !(type.endsWith('*') ? record.type.startsWith(type.slice(0, -1)) : record.type === type)) {
    return false
  }
  if (key !== undefined && record.key !== key) return false
  return text === undefined || JSON.stringify(record.data).toLowerCase().includes(text.toLowerCase())
}

export function summary(record: FakeRecord): EventSummary {
  const { position, type, key, at, data } = record
  return {
    position,
    id: idOf(position),
    type,
    kind: type.startsWith('change:') ? 'change' : 'event',
    key,
    at: new Date(at).toISOString(),
    preview: JSON.stringify(data).slice(0, 160),
  }
}

export function detail(record: FakeRecord): Omit<EventDetail, 'deliveries' | 'effects'> {
  return {
    ...summary(record),
    version: 1,
    data: record.data,
    meta: record.meta,
    correlation: idOf(record.position),
    causes: [],
  }
}

/** The part of an event filter that lists and the stream share. */
export function eventFilter(params: URLSearchParams): { type?: string; key?: string; text?: string } {
  const [type, key, text] = [params.get('type'), params.get('key'), params.get('text')]
  return { ...(type && { type }), ...(key && { key }), ...(text && { text }) }
}

function idOf(position: number): string {
  const hex = Array.from({ length: 4 }, (_, i) =>
    Math.floor(dice(position, i) * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  )
  const [a = '', b = '', c = '', d = ''] = hex
  return `019a${a.slice(0, 4)}-${a.slice(4)}-7${b.slice(0, 3)}-a${b.slice(4, 7)}-${c}${d.slice(0, 4)}`
}

function patterned(position: number): Omit<FakeRecord, 'position' | 'at'> {
  const step = pattern[position % pattern.length] ?? 'order'
  const [film = 1, title = '', director = '', year = 0] = films[Math.floor(dice(position) * films.length)] ?? []
  const price = 699 + Math.floor(dice(position, 1) * 18) * 100
  const stock = Math.floor(dice(position, 2) * 60)
  const order = `o-${10_000 + Math.floor(position / 4)}`
  const lsn = `0/${(0x1a2b3c8 + position * 0x98).toString(16).toUpperCase()}`
  const row = { id: film, title, director, year, genre: year > 1990 ? 'Drama' : 'Classic', price, stock }
  const change = { lsn, xid: String(740_000 + position) }
  switch (step) {
    case 'order':
      return { type: 'order.placed', key: String(film), data: { order, film, quantity: 1, total: price }, meta: {} }
    case 'low':
      return {
        type: 'stock.low',
        key: String(film),
        data: { film, title, stock: stock % 3 },
        meta: { cause: position - 4 },
      }
    case 'row': {
      const placed = { id: order, film, quantity: 1, total: price, status: 'paid' }
      return {
        type: 'change:orders',
        key: order,
        data: { op: 'insert', table: 'orders', key: order, row: placed, before: null },
        meta: change,
      }
    }
    case 'stock':
      return {
        type: 'change:films',
        key: String(film),
        data: { op: 'update', table: 'films', key: String(film), row, before: { ...row, stock: stock + 1 } },
        meta: change,
      }
    case 'price':
      return {
        type: 'change:films',
        key: String(film),
        data: { op: 'update', table: 'films', key: String(film), row, before: { ...row, price: price + 200 } },
        meta: change,
      }
  }
}
