import { expect, test } from 'vitest'
import { formatFilter, parseFilter } from './filter.ts'

test('a line of names and words becomes a filter', () => {
  expect(parseFilter('type:order.* key:42 Star Wars')).toEqual({ type: 'order.*', key: '42', text: 'Star Wars' })
  expect(parseFilter('type:change:films')).toEqual({ type: 'change:films' })
  expect(parseFilter('key:"a b" "two  spaces"')).toEqual({ key: 'a b', text: 'two  spaces' })
  expect(parseFilter('  ')).toEqual({})
  expect(parseFilter('type: stock')).toEqual({ text: 'stock' })
})

test('a filter is written so that it is read back the same', () => {
  const filters = [
    { type: 'order.placed' },
    { key: 'a b', text: 'Star Wars' },
    { text: 'key:1' },
    { text: 'plain' },
    {},
  ]
  for (const filter of filters) expect(parseFilter(formatFilter(filter))).toEqual(filter)
})
