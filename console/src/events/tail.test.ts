import { describe, expect, test } from 'vitest'
import type { EventPage, EventSummary } from '../contract.ts'
import { emptyTail, extend, fill, receive, refresh, release, type Tail, type TailRow } from './tail.ts'

describe('the live list of events', () => {
  test('shows the newest on top while it is attached', () => {
    const tail = receive(from(3, 2, 1), frame([4, 5]), true)
    expect(shape(tail.rows)).toEqual([5, 4, 3, 2, 1])
  })

  test('moves nothing while the reader reads, and shows what was held back afterwards', () => {
    const reading = receive(receive(from(2, 1), frame([3]), false), frame([4]), false)
    expect(shape(reading.rows)).toEqual([2, 1])
    expect(shape(reading.held)).toEqual([4, 3])
    expect(shape(release(reading).rows)).toEqual([4, 3, 2, 1])
  })

  test('takes an event once, though the page and the stream both bring it', () => {
    const tail = receive(from(3, 2), frame([2, 3, 4]), true)
    expect(shape(tail.rows)).toEqual([4, 3, 2])
    expect(shape(refresh(tail, page([4, 3, 2]), true).rows)).toEqual([4, 3, 2])
  })

  test('marks what the server left out, to be loaded on demand', () => {
    const tail = receive(from(2, 1), frame([7, 8], 4), true)
    expect(shape(tail.rows)).toEqual([8, 7, '7..2', 2, 1])
    const gap = { before: 7, after: 2 }
    expect(shape(fill(tail, gap, page([6, 5, 4, 3, 2], 2)).rows)).toEqual([8, 7, 6, 5, 4, 3, 2, 1])
    expect(shape(fill(tail, gap, page([6, 5], 5)).rows)).toEqual([8, 7, 6, 5, '5..2', 2, 1])
  })

  test('has a gap after a broken line only when the newest page does not reach the rows', () => {
    expect(shape(refresh(from(2, 1), page([4, 3, 2], 2), true).rows)).toEqual([4, 3, 2, 1])
    expect(shape(refresh(from(2, 1), page([9, 8], 8), true).rows)).toEqual([9, 8, '8..2', 2, 1])
  })

  test('goes on towards the past until the log ends', () => {
    const tail = extend({ ...from(9, 8), next: 8 }, page([7, 6], 6))
    expect(shape(tail.rows)).toEqual([9, 8, 7, 6])
    expect(tail.next).toBe(6)
    expect(extend(tail, page([5])).next).toBeUndefined()
  })

  test('keeps a bounded number of rows and pages the rest in again', () => {
    let tail = from(1)
    for (let position = 2; position <= 5_200; position += 100) {
      tail = receive(tail, frame(Array.from({ length: 100 }, (_, i) => position + i)), true)
    }
    expect(tail.rows).toHaveLength(5_000)
    expect(tail.next).toBe((tail.rows.at(-1) as { event: EventSummary }).event.position)
  })
})

function from(...positions: number[]): Tail {
  return refresh(emptyTail, page(positions), true)
}

function page(positions: number[], next?: number): EventPage {
  return { events: positions.map(event), head: positions[0] ?? 0, ...(next !== undefined && { next }) }
}

function frame(positions: number[], skipped = 0): { events: EventSummary[]; skipped: number; head: number } {
  return { events: positions.map(event), skipped, head: positions.at(-1) ?? 0 }
}

function event(position: number): EventSummary {
  return {
    position,
    id: `id-${position}`,
    type: 't',
    kind: 'event',
    key: null,
    at: '2026-01-01T00:00:00Z',
    preview: '{}',
  }
}

function shape(rows: readonly TailRow[]): (number | string)[] {
  return rows.map((row) => (row.kind === 'event' ? row.event.position : `${row.gap.before}..${row.gap.after}`))
}
