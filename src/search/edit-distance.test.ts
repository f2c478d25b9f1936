import fc from 'fast-check'
import { expect, test } from 'vitest'
import { editDistance, prefixDistance } from './edit-distance.ts'

test.each([
  ['wars', 'wras', 1],
  ['godfather', 'godfahter', 1],
  ['spielberg', 'speilberg', 1],
  ['ca', 'abc', 3],
  ['', 'abc', 3],
  ['kitten', 'sitting', 3],
  ['same', 'same', 0],
])('%s and %s are %i edits apart', (a, b, distance) => {
  expect(editDistance(a, b, 5)).toBe(distance)
})

const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 7 })

test('it is the shortest way, found by trying all', () => {
  fc.assert(
    fc.property(word, word, fc.nat({ max: 4 }), (a, b, max) => {
      expect(editDistance(a, b, max)).toBe(Math.min(max + 1, byTrying(a, b)))
    }),
  )
})

test('to a beginning it is the least of those to all beginnings', () => {
  fc.assert(
    fc.property(word, word, fc.nat({ max: 3 }), (a, b, max) => {
      const all = Array.from({ length: b.length + 1 }, (_, end) => byTrying(a, b.slice(0, end)))
      expect(prefixDistance(a, b, max)).toBe(Math.min(max + 1, ...all))
    }),
  )
})

/** The definition, without the table. */
function byTrying(a: string, b: string): number {
  if (a === '' || b === '') return a.length + b.length
  const ways = [
    byTrying(a.slice(1), b) + 1,
    byTrying(a, b.slice(1)) + 1,
    byTrying(a.slice(1), b.slice(1)) + (a[0] === b[0] ? 0 : 1),
  ]
  if (a.length > 1 && b.length > 1 && a[0] === b[1] && a[1] === b[0]) ways.push(byTrying(a.slice(2), b.slice(2)) + 1)
  return Math.min(...ways)
}
