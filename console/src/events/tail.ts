import type { EventPage, EventSummary, StreamTopics } from '../contract.ts'

/** A stretch of the log that was not sent, between the rows above and below it. */
export interface Gap {
  /** Load what lies below this position … */
  before: number
  /** … down to this one, which is already shown. */
  after: number
}
export type TailRow = { kind: 'event'; event: EventSummary } | { kind: 'gap'; gap: Gap }

/** A live list of events, newest first. What arrives while the reader reads is held back, so that nothing moves. */
export interface Tail {
  rows: readonly TailRow[]
  /** Newest first, as `rows`. */
  held: readonly TailRow[]
  /** Pass as `before` to go on towards the past; absent where the log ends. */
  next?: number | undefined
}

export const emptyTail: Tail = { rows: [], held: [] }

/** More rows than anyone reads; older ones are paged in again. */
const mostRows = 5_000

/** Takes in a frame of the stream: on top when attached, else held back. */
export function receive(tail: Tail, frame: StreamTopics['events'], attached: boolean): Tail {
  const newest = newestPosition(tail)
  const fresh = frame.events.filter((event) => event.position > newest)
  const oldest = fresh[0]
  if (oldest === undefined) return tail
  const rows: TailRow[] = fresh.map((event): TailRow => ({ kind: 'event', event })).reverse()
  if (frame.skipped > 0 && newest > 0) rows.push({ kind: 'gap', gap: { before: oldest.position, after: newest } })
  const next: Tail = { ...tail, held: trim([...rows, ...tail.held]) }
  return attached ? release(next) : next
}

/** Shows what was held back. */
export function release(tail: Tail): Tail {
  if (tail.held.length === 0) return tail
  const all = [...tail.held, ...tail.rows]
  const rows = trim(all)
  const last = rows.at(-1)
  const cut = rows.length < all.length && last?.kind === 'event'
  return { rows, held: [], next: cut ? last.event.position : tail.next }
}

/** Puts the newest page on top: at the start, and after the line was down. */
export function refresh(tail: Tail, page: EventPage, attached: boolean): Tail {
  const newest = newestPosition(tail)
  if (newest === 0)
    return { rows: page.events.map((event): TailRow => ({ kind: 'event', event })), held: [], next: page.next }
  const overlaps = page.next === undefined || page.events.some((event) => event.position <= newest)
  const events = page.events.filter((event) => event.position > newest).reverse()
  return receive(tail, { events, skipped: overlaps ? 0 : 1, head: page.head }, attached)
}

/** Adds an older page at the bottom. */
export function extend(tail: Tail, page: EventPage): Tail {
  const last = tail.rows.at(-1)
  const below = last?.kind === 'event' ? last.event.position : Number.POSITIVE_INFINITY
  const older = page.events.filter((event) => event.position < below)
  return {
    ...tail,
    rows: [...tail.rows, ...older.map((event): TailRow => ({ kind: 'event', event }))],
    next: page.next,
  }
}

/** Puts a page in the place of a gap; what it did not reach stays a smaller gap. */
export function fill(tail: Tail, gap: Gap, page: EventPage): Tail {
  const inside = page.events.filter((event) => event.position > gap.after && event.position < gap.before)
  const filling: TailRow[] = inside.map((event) => ({ kind: 'event', event }))
  const lowest = inside.at(-1)
  const reached = page.next === undefined || page.events.some((event) => event.position <= gap.after)
  if (!reached && lowest) filling.push({ kind: 'gap', gap: { before: lowest.position, after: gap.after } })
  const rows = tail.rows.flatMap((row) => (row.kind === 'gap' && row.gap.before === gap.before ? filling : [row]))
  return { ...tail, rows }
}

export function eventCount(rows: readonly TailRow[]): number {
  return rows.reduce((sum, row) => sum + (row.kind === 'event' ? 1 : 0), 0)
}

function newestPosition({ held, rows }: Tail): number {
  const row = held[0] ?? rows[0]
  return row?.kind === 'event' ? row.event.position : 0
}

function trim(rows: TailRow[]): TailRow[] {
  return rows.length <= mostRows ? rows : rows.slice(0, mostRows)
}
