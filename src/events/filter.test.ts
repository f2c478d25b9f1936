import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLogger } from '../kernel/logger.ts'
import { openStore, type Store } from '../store/store.ts'
import { type TestDatabase, testDatabase } from '../testing/test-postgres.ts'
import { compileFilter, type Filter } from './filter.ts'
import { select } from './selection.ts'

let database: TestDatabase
let store: Store
beforeAll(async () => {
  database = await testDatabase()
  store = openStore({ url: database.url, connections: 2, logger: silentLogger, applicationName: 'filter test' })
})
afterAll(async () => {
  await store.close()
  await database.drop()
})

interface Row {
  type: string
  key: string | null
  data: string
  meta: string | null
}

const matched = async (filter: Filter, rows: readonly Row[]): Promise<{ memory: boolean[]; sql: boolean[] }> => {
  const selection = select({ types: ['t'], filter: compileFilter('filter', filter) })
  const { text, values } = selection.sql(2)
  const found = await store.sql.query<{ wanted: boolean }>(
    `select (${text}) as wanted
       from rows from (json_to_recordset($1::json) as (type text, key text, data text, meta text)) with ordinality as r(type, key, data, meta, n),
       lateral (select r.type, r.key, r.data::json as data, r.meta::json as meta) e order by n`,
    [JSON.stringify(rows), ...values],
  )
  const record = { id: '', version: 1, position: 1, at: '' }
  return {
    memory: rows.map((row) => selection.wants({ ...row, ...record })),
    sql: found.map(({ wanted }) => wanted),
  }
}

// Few names and values, so that they meet; with what the two read differently if one is careless.
const text = fc.constantFrom(
  '',
  'a',
  'b',
  'Z',
  'é',
  'z\u{1F600}',
  '\uFFFD',
  '\\u0041',
  "'",
  '1',
  'true',
  'null',
  '10',
  '{}',
)
const number = fc.oneof(
  fc.constantFrom(0, -0, 1, 10, 0.1, 0.2, 1e21, 2 ** 53, -1.5, 5e-324, 1.7e308),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)
const scalar = fc.oneof(text, number, fc.boolean(), fc.constant(null))
const name = fc.constantFrom('a', 'b', '0', '1', '__proto__', 'length')
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(name, tie('any'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).any
const condition = fc.oneof(
  scalar,
  fc.array(scalar, { minLength: 1, maxLength: 3 }),
  fc.record(
    {
      gt: fc.oneof(text, number),
      gte: fc.oneof(text, number),
      lt: fc.oneof(text, number),
      lte: fc.oneof(text, number),
      in: fc.array(scalar, { minLength: 1, maxLength: 3 }),
      exists: fc.boolean(),
    },
    { requiredKeys: [] },
  ),
)
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((steps) => steps.join('.'))
const filter = fc.record(
  { key: condition, source: condition, subject: condition, data: fc.dictionary(path, condition, { maxKeys: 2 }) },
  { requiredKeys: ['data'] },
)
const row = fc.record({
  type: fc.constantFrom('t', 'other'),
  key: fc.option(text),
  data: value.map((data) => JSON.stringify(data)),
  meta: fc.option(fc.record({ source: text, subject: text }, { requiredKeys: [] }).map((meta) => JSON.stringify(meta))),
})

test('a filter means the same in Postgres and in memory', async () => {
  await fc.assert(
    fc.asyncProperty(filter, fc.array(row, { minLength: 1, maxLength: 20 }), async (given, rows) => {
      const { memory, sql } = await matched(given as Filter, rows)
      const odd = /\\u|[eE][+-]?\d{3}/
      for (const [i, { data, meta }] of rows.entries()) {
        // Of odd JSON Postgres lets through more, never less.
        if (odd.test(data) || odd.test(meta ?? '')) expect(sql[i] || !memory[i]).toBe(true)
        else expect({ given, row: rows[i], wanted: sql[i] }).toEqual({ given, row: rows[i], wanted: memory[i] })
      }
    }),
    { numRuns: 400 },
  )
})

test('JSON that Postgres cannot take apart is judged in memory', async () => {
  const rows = ['{"a":"x\\u0000","n":1}', '{"a":"\\ud800","n":1}', '{"n":1e400}', '{"n":2,"a":"\\u0000"}'].map(
    (data) => ({
      type: 't',
      key: null,
      data,
      meta: null,
    }),
  )
  const { memory, sql } = await matched({ data: { n: 1 } }, rows)
  expect(memory).toEqual([true, true, false, false])
  expect(sql).toEqual([true, true, true, true])
})

test('events are found by key, by CloudEvents attributes and by values at any depth', async () => {
  const rows = [
    {
      type: 't',
      key: 'k1',
      data: '{"total":120,"customer":{"country":"DE"},"lines":[{"sku":"x"}]}',
      meta: '{"source":"/shop"}',
    },
    { type: 't', key: 'k2', data: '{"total":80,"customer":{"country":"AT"},"note":null}', meta: null },
  ]
  const of = async (given: Filter) => (await matched(given, rows)).memory
  expect(await of({ key: 'k1' })).toEqual([true, false])
  expect(await of({ source: { exists: false } })).toEqual([false, true])
  expect(await of({ data: { total: { gte: 100, lt: 200 } } })).toEqual([true, false])
  expect(await of({ data: { 'customer.country': ['AT', 'CH'] } })).toEqual([false, true])
  expect(await of({ data: { 'lines.0.sku': 'x' } })).toEqual([true, false])
  expect(await of({ data: { note: null } })).toEqual([false, true])
})

test.each([
  [{ data: { '': 1 } }, 'OPTION_INVALID'],
  [{ data: { 'a.-1': 1 } }, 'OPTION_INVALID'],
  [{ data: { a: { like: 'x' } } }, 'OPTION_INVALID'],
  [{ data: { a: Number.NaN } }, 'OPTION_INVALID'],
  [{ data: { a: 'x\0' } }, 'OPTION_INVALID'],
  [{ data: { a: [] } }, 'OPTION_INVALID'],
  [{ kye: 'x' }, 'OPTION_UNKNOWN'],
])('the filter %o is refused', (given, code) => {
  expect(() => compileFilter('on("x").where', given as Filter)).toThrow(expect.objectContaining({ code }))
})
