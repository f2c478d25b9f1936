import { describe, expect, test } from 'vitest'
import { parseFilter } from './event-filter.ts'

describe('a filter reads as it is written', () => {
  test.each([
    ['', {}],
    ['type:order.* key:7', { type: 'order.*', key: '7' }],
    ['star wars', { text: 'star wars' }],
    ['type:films.changed "http://x" y', { type: 'films.changed', text: 'http://x y' }],
    ['key:"a b" text:"c d"', { key: 'a b', text: 'c d' }],
  ])('%s', (given, filter) => {
    expect(parseFilter(given)).toEqual(filter)
  })
})

test('a field that nobody knows is refused', () => {
  expect(() => parseFilter('status:failed')).toThrow(/unknown field "status"/)
})
