import { expect, test } from 'vitest'
import { RateLimit } from './rate-limit.ts'

test('one second of its part of the rate may come at once, and no more', () => {
  let now = 0
  const limit = new RateLimit(100, () => now)
  expect(limit.available(0.5)).toBe(0)
  now = 100
  expect(limit.available(0.5)).toBe(5)
  limit.take(5)
  now = 60_000
  expect(limit.available(0.5)).toBe(50)
  limit.take(50)
  expect(limit.nextMs(0.5)).toBe(20)
})

test('a rate below one a second lets one through when its time has come', () => {
  let now = 0
  const limit = new RateLimit(1 / 60, () => now)
  now = 59_000
  expect(limit.available(1)).toBe(0)
  now = 61_000
  expect(limit.available(1)).toBe(1)
})
