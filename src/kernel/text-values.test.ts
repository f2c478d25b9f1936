import { describe, expect, test } from 'vitest'
import { t } from './schema.ts'
import { valueFromText } from './text-values.ts'

const schema = t.object({
  n: t.int(),
  x: t.number(),
  b: t.boolean(),
  tags: t.array(t.int()),
  q: t.string(),
  maybe: t.nullable(t.int()),
  one: t.literal(1),
})

describe('values from text', () => {
  test.each([
    [{ n: '12' }, { n: 12 }],
    [{ n: '-3' }, { n: -3 }],
    [{ x: '1.5e3' }, { x: 1500 }],
    [{ b: 'true' }, { b: true }],
    [{ tags: '7' }, { tags: [7] }],
    [{ tags: ['7', '8'] }, { tags: [7, 8] }],
    [{ maybe: '7' }, { maybe: 7 }],
    [{ maybe: 'null' }, { maybe: null }],
    [{ one: '1' }, { one: 1 }],
    [{ q: '12' }, { q: '12' }],
  ])('%o becomes %o', (text, value) => {
    expect(valueFromText(schema, text)).toEqual(value)
  })

  test.each([
    { n: '' },
    { n: '1.5' },
    { n: '0x10' },
    { n: ' 1' },
    { n: 'true' },
    { n: '99999999999999999999' },
    { x: '' },
    { x: 'Infinity' },
    { b: '1' },
    { b: '' },
    { q: ['a', 'b'] },
    { unknown: '1' },
  ])('%o stays text, for the schema to refuse', (text) => {
    expect(valueFromText(schema, text)).toEqual(text)
  })

  test('names of Object.prototype are ordinary names', () => {
    const text: unknown = JSON.parse('{"__proto__":"1","constructor":"2"}')
    expect(Object.keys(valueFromText(schema, text) as object)).toEqual(['__proto__', 'constructor'])
  })
})
