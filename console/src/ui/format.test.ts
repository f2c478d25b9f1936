import { expect, test } from 'vitest'
import { ago, coarse, compact, count, duration, rate } from './format.ts'

test('durations keep about three figures', () => {
  expect([0.123, 8.34, 214.4, 3_210, 30_400, 240_000].map(duration)).toEqual([
    '0.12 ms',
    '8.3 ms',
    '214 ms',
    '3.21 s',
    '30.4 s',
    '4 min',
  ])
})

test('times are relative, past and future', () => {
  const now = Date.parse('2026-01-01T00:10:00Z')
  expect(ago('2026-01-01T00:09:59.500Z', now)).toBe('now')
  expect(ago('2026-01-01T00:09:52Z', now)).toBe('8 s ago')
  expect(ago('2026-01-01T00:10:12Z', now)).toBe('in 12 s')
  expect([59, 90, 7_200, 200_000].map(coarse)).toEqual(['59 s', '1 min', '2 h', '2 d'])
})

test('numbers are grouped, and short where there is no room', () => {
  expect(count(48_213)).toBe('48,213')
  expect(compact(48_213)).toBe('48.2K')
  expect([0, 0.01, 0.44, 3, 12.52, 1_204.4].map(rate)).toEqual(['0', '<0.1', '0.4', '3', '12.5', '1,204'])
})
