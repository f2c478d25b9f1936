import { expect, test } from 'vitest'
import type { Hop } from '../contract.ts'
import { closeLookMs, loggedAtMs, spanOf, tickLabel, ticks, waitsSinceMs } from './scale.ts'

test('the marks of the axis are round', () => {
  expect(ticks(8.4).map(tickLabel)).toEqual(['0', '2 ms', '4 ms', '6 ms', '8 ms'])
  expect(ticks(0.28).map(tickLabel)).toEqual(['0', '0.05 ms', '0.1 ms', '0.15 ms', '0.2 ms', '0.25 ms'])
  expect(ticks(4_200).map(tickLabel)).toEqual(['0', '1 s', '2 s', '3 s', '4 s'])
})

test('a stop worked until its moment, for as long as it took', () => {
  expect(spanOf(hop('index', 9, 3))).toEqual({ startMs: 6, endMs: 9 })
  expect(spanOf(hop('cache', 1, 2))).toEqual({ startMs: 0, endMs: 1 })
})

test('followers start where the log has the event', () => {
  expect(loggedAtMs([hop('commit', 0), hop('capture', 2), hop('sequence', 3), hop('index', 9)])).toBe(3)
})

test('a late stop asks for a closer look at the others, a steady journey does not', () => {
  expect(closeLookMs([hop('commit', 0), hop('sequence', 2), hop('cache', 4), hop('consumer', 30_000)])).toBeCloseTo(4.6)
  expect(closeLookMs([hop('commit', 0), hop('sequence', 2), hop('cache', 4), hop('consumer', 9)])).toBeUndefined()
})

function hop(kind: Hop['kind'], sinceStartMs: number, tookMs?: number): Hop {
  return { kind, name: kind, at: '', sinceStartMs, status: 'done', ...(tookMs !== undefined && { tookMs }) }
}

test('a stop waits for the one before it, a follower for the log', () => {
  const hops = [hop('commit', 0), hop('capture', 2), hop('sequence', 3), hop('cache', 4), hop('index', 9)]
  expect(hops.map((_, i) => waitsSinceMs(hops, i))).toEqual([0, 0, 2, 3, 3])
})
