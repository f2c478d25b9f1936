import fc from 'fast-check'
import { Check } from 'typebox/schema'
import { describe, expect, test } from 'vitest'
import { t } from '../../kernel/schema.ts'
import { gapsBetween } from './gaps.ts'
import type { Schema } from './json-schema.ts'

const plain = (schema: unknown): Schema => JSON.parse(JSON.stringify(schema)) as Schema
const object = (fields: Parameters<typeof t.object>[0]): Schema => plain(t.object(fields))

describe('every value stays valid', () => {
  test.each<[string, Schema, Schema]>([
    ['the same', object({ a: t.string() }), object({ a: t.string() })],
    ['notes changed', { type: 'string', title: 'a' }, { type: 'string', description: 'b' }],
    [
      'a new optional field of a closed object',
      object({ a: t.string() }),
      object({ a: t.string(), b: t.optional(t.int()) }),
    ],
    ['required became optional', object({ a: t.string() }), object({ a: t.optional(t.string()) })],
    ['integer became number', object({ a: t.int() }), object({ a: t.number() })],
    ['one more value', plain(t.oneOf('a', 'b')), plain(t.oneOf('a', 'b', 'c'))],
    ['a value became any text', plain(t.literal('a')), { type: 'string' }],
    ['may be null now', plain(t.string()), plain(t.nullable(t.string()))],
    [
      'wider bounds',
      { type: 'integer', minimum: 1, maximum: 9 },
      { type: 'integer', exclusiveMinimum: 0, maximum: 10 },
    ],
    ['a longer text', { type: 'string', minLength: 2, maxLength: 4 }, { type: 'string', minLength: 1, maxLength: 5 }],
    ['no format any more', { type: 'string', format: 'date' }, { type: 'string' }],
    ['a coarser step', { type: 'integer', multipleOf: 6 }, { type: 'number', multipleOf: 3 }],
    ['a closed object was opened', object({ a: t.string() }), { type: 'object' }],
    [
      'a tuple as an array',
      { type: 'array', prefixItems: [{ type: 'integer' }], items: false },
      { type: 'array', items: { type: 'number' }, maxItems: 1 },
    ],
    ['more alternatives', { anyOf: [{ type: 'string' }] }, { anyOf: [{ type: 'integer' }, { type: 'string' }] }],
    [
      'a variant of a union with a kind',
      object({ kind: t.literal('a'), n: t.int() }),
      { oneOf: [object({ kind: t.literal('b') }), object({ kind: t.literal('a'), n: t.number() })] } as Schema,
    ],
    ['nothing was valid', false, { type: 'string' }],
    [
      'a recursive schema',
      {
        $defs: {
          t: {
            type: 'object',
            properties: { c: { $ref: '#/$defs/t' }, n: { type: 'integer' } },
            additionalProperties: false,
          },
        },
        $ref: '#/$defs/t',
      },
      { type: 'object', properties: { c: { $ref: '#' }, n: { type: 'number' } }, additionalProperties: false },
    ],
    [
      'an unknown keyword that stayed',
      { type: 'object', propertyNames: { pattern: '^a' } },
      { type: 'object', propertyNames: { pattern: '^a' } },
    ],
    [
      'a record',
      { type: 'object', patternProperties: { '^.*$': { type: 'integer' } } },
      { type: 'object', patternProperties: { '^.*$': { type: 'integer' } }, minProperties: 0 },
    ],
  ])('%s', (_, from, to) => {
    expect(gapsBetween(from, to)).toEqual([])
  })
})

describe('what breaks is named with its place', () => {
  test.each<[string, Schema, Schema, string, RegExp]>([
    [
      'a new required field',
      object({ a: t.string() }),
      object({ a: t.string(), b: t.int() }),
      '/b',
      /objects without it/,
    ],
    [
      'optional became required',
      object({ a: t.optional(t.string()) }),
      object({ a: t.string() }),
      '/a',
      /objects without it/,
    ],
    [
      'a field of a closed object went',
      object({ a: t.string(), b: t.int() }),
      object({ a: t.string() }),
      '/b',
      /that have it are refused/,
    ],
    ['an open object was closed', { type: 'object' }, object({}), '/*', /other names/],
    [
      'a new field of an open object',
      { type: 'object' },
      { type: 'object', properties: { a: { type: 'string' } } },
      '/a',
      /type is another/,
    ],
    ['another type', object({ a: t.int() }), object({ a: t.string() }), '/a', /type is another/],
    ['number became integer', object({ a: t.number() }), object({ a: t.int() }), '/a', /type is another/],
    ['a value went', plain(t.oneOf('a', 'b')), plain(t.oneOf('a')), '', /not valid any more/],
    ['no null any more', plain(t.nullable(t.string())), plain(t.string()), '', /type is another/],
    ['only some values', { type: 'string' }, plain(t.oneOf('a')), '', /only some values/],
    [
      'deep inside',
      object({ l: t.array(t.object({ n: t.int() })) }),
      object({ l: t.array(t.object({ n: t.int({ maximum: 3 }) })) }),
      '/l/*/n',
      /larger numbers/,
    ],
    ['a format', { type: 'string' }, { type: 'string', format: 'date' }, '', /another format/],
    ['a pattern', { type: 'string', pattern: '^a' }, { type: 'string', pattern: '^b' }, '', /another pattern/],
    ['shorter', { type: 'string' }, { type: 'string', maxLength: 3 }, '', /larger ones/],
    [
      'a tuple that was not closed',
      { type: 'array', prefixItems: [{ type: 'integer' }] },
      { type: 'array', prefixItems: [{ type: 'integer' }], items: false },
      '/*',
      /no value is valid/,
    ],
    [
      'an alternative went',
      { anyOf: [{ type: 'string' }, { type: 'integer' }] },
      { type: 'string' },
      '',
      /type is another/,
    ],
    [
      'a keyword that is not compared',
      { type: 'object' },
      { type: 'object', propertyNames: { pattern: '^a' } },
      '',
      /cannot be compared/,
    ],
    [
      'alternatives that overlap',
      { type: 'integer' },
      { oneOf: [{ type: 'integer' }, { type: 'number' }] },
      '',
      /oneOf/,
    ],
    ['alternatives that are the same', { type: 'integer' }, { oneOf: [true, true] }, '', /oneOf/],
    ['a reference out of the schema', { type: 'string' }, { $ref: 'https://example.com/s' }, '', /leads out/],
    [
      'a circle',
      { type: 'string' },
      { $defs: { a: { anyOf: [{ $ref: '#/$defs/a' }] } }, $ref: '#/$defs/a' },
      '',
      /itself/,
    ],
    [
      'what unevaluated fields are',
      { type: 'object', unevaluatedProperties: false },
      { type: 'object', allOf: [true], unevaluatedProperties: false },
      '',
      /cannot be compared/,
    ],
    ['a field with an odd name', object({}), object({ 'a/b~c': t.int() }), '/a~1b~0c', /without it/],
  ])('%s', (_, from, to, path, why) => {
    expect(gapsBetween(from, to)).toEqual([expect.objectContaining({ path, why: expect.stringMatching(why) })])
  })
})

// Random schemas of a small world, so that two of them often have to do with each other; values from the same world.
const words = ['a', 'b', 'ab', '2026-01-31', '']
const names = ['x', 'y', 'z']
const number = fc.integer({ min: -3, max: 4 })
const half = fc.constantFrom(-1.5, 0.5, 2.5)
const { schema } = fc.letrec<{ schema: Schema; value: unknown }>((tie) => {
  const fields = fc.dictionary(fc.constantFrom(...names), tie('schema'), { maxKeys: 3 })
  const some = fc.option
  const optional = (given: Record<string, unknown>): Schema =>
    Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)) as Schema
  return {
    value: fc.anything(),
    schema: fc.oneof(
      { maxDepth: 3, depthSize: 'small', withCrossShrink: true },
      fc.constantFrom<Schema>(
        true,
        {},
        { type: 'string' },
        { type: 'integer' },
        { type: 'number' },
        { type: 'null' },
        { type: 'boolean' },
        { type: ['string', 'null'] },
        { type: ['integer', 'boolean'] },
      ),
      fc
        .record({
          type: fc.constant('string'),
          minLength: some(fc.integer({ min: 0, max: 2 })),
          maxLength: some(fc.integer({ min: 0, max: 3 })),
          pattern: some(fc.constantFrom('^a', 'b$')),
          format: some(fc.constantFrom('date')),
        })
        .map(optional),
      fc
        .record({
          type: fc.constantFrom('integer', 'number'),
          minimum: some(fc.oneof(number, half)),
          exclusiveMinimum: some(fc.oneof(number, half)),
          maximum: some(fc.oneof(number, half)),
          exclusiveMaximum: some(fc.oneof(number, half)),
          multipleOf: some(fc.constantFrom(1, 2, 3, 0.5)),
        })
        .map(optional),
      fc.record({
        enum: fc.uniqueArray(fc.oneof(fc.constantFrom(...words), number, fc.constantFrom(null, true, 0.5)), {
          minLength: 1,
          maxLength: 3,
        }),
      }),
      fc.record({ const: fc.oneof(fc.constantFrom(...words), number) }),
      fc
        .record({
          type: fc.constant('array'),
          items: some(tie('schema')),
          prefixItems: some(fc.array(tie('schema'), { minLength: 1, maxLength: 2 })),
          minItems: some(fc.integer({ min: 0, max: 2 })),
          maxItems: some(fc.integer({ min: 0, max: 2 })),
          uniqueItems: some(fc.boolean()),
        })
        .map(optional),
      fc
        .record({
          type: fc.constant('object'),
          properties: some(fields),
          required: some(fc.uniqueArray(fc.constantFrom(...names), { maxLength: 2 })),
          additionalProperties: some(fc.oneof(fc.constant(false), tie('schema'))),
          patternProperties: some(
            fc.dictionary(fc.constantFrom('^x', 'y|z'), tie('schema'), { minKeys: 1, maxKeys: 1 }),
          ),
          minProperties: some(fc.integer({ min: 0, max: 2 })),
          maxProperties: some(fc.integer({ min: 0, max: 3 })),
        })
        .map(optional),
      fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ oneOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }) }),
      fc.record({ allOf: fc.array(tie('schema'), { minLength: 1, maxLength: 2 }) }),
      fc.record({ not: tie('schema') }),
    ) as fc.Arbitrary<Schema>,
  }
})
const scalar = fc.oneof(fc.constantFrom(...words), number, half, fc.constantFrom(null, true, false))
const value = fc.oneof(
  { weight: 2, arbitrary: scalar },
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom(...names), fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })), { maxKeys: 3 }),
)

/** The same schema with one keyword gone or one value moved: near enough to be compatible now and then. */
const changed = (given: Schema, at: number): Schema => {
  if (typeof given === 'boolean') return given
  const keys = Object.keys(given)
  const key = keys[at % (keys.length + 1)]
  if (key === undefined) return { anyOf: [given, { type: 'null' }] }
  const old = given[key]
  if (typeof old === 'number') return { ...given, [key]: Math.max(0, old + (at % 3) - 1) || 1 }
  if (Array.isArray(old) && old.length > 0 && old.every((each) => typeof each === 'object' && each !== null))
    return { ...given, [key]: old.map((each: Schema) => changed(each, at >> 2)) }
  if (Array.isArray(old) && old.length > 1) return { ...given, [key]: old.slice(1) }
  const { [key]: _, ...rest } = given
  return rest
}

test('what is called compatible is: each value that is valid before is valid after', () => {
  let compatible = 0
  const pair = fc
    .tuple(schema, schema, fc.nat({ max: 40 }), fc.boolean())
    .map(([a, b, at, near]): [Schema, Schema] => (near ? [a, changed(a, at)] : [a, b]))
  fc.assert(
    fc.property(pair, fc.boolean(), fc.array(value, { minLength: 60, maxLength: 60 }), ([a, b], backward, values) => {
      const [from, to] = backward ? [a, b] : [b, a]
      if (gapsBetween(from, to).length > 0) return
      const valid = values.filter((each) => check(from, each))
      if (valid.length > 0 && JSON.stringify(from) !== JSON.stringify(to)) compatible += 1
      for (const each of valid)
        expect(check(to, each), `${JSON.stringify(each)} fits ${JSON.stringify(from)} only`).toBe(true)
    }),
    { numRuns: 3000 },
  )
  expect(compatible).toBeGreaterThan(100)
})

const check = (given: Schema, each: unknown): boolean => (typeof given === 'boolean' ? given : Check(given, each))
