import { expect, test } from 'vitest'
import { uuidv7 } from './ids.ts'

test('an id is a UUID of version 7 that holds its time', () => {
  const now = Date.now() + 1000
  const id = uuidv7(now)
  expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
  expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(now)
})

test('later ids sort after earlier ones, whatever the clock does, and none comes twice', () => {
  const start = Date.now() + 5000
  const ids = Array.from({ length: 20_000 }, (_, i) => uuidv7(i % 1000 === 500 ? start - 100 : start))
  expect(ids.toSorted()).toEqual(ids)
  expect(new Set(ids).size).toBe(ids.length)
  expect(new Set(ids.map((id) => id.slice(19))).size).toBe(ids.length)
})
