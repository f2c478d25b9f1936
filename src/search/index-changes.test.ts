import { afterEach, beforeEach, expect, test } from 'vitest'
import { postgresSearch } from '../adapters/postgres-search/postgres-search.ts'
import { HandlerFailure } from '../delivery/attempt.ts'
import type { Change } from '../events/change.ts'
import type { LogRecord } from '../events/record.ts'
import { table } from '../events/table.ts'
import { silentLogger } from '../kernel/logger.ts'
import { Metrics } from '../kernel/metrics.ts'
import { t } from '../kernel/schema.ts'
import { openStore, type Store } from '../store/store.ts'
import { type TestDatabase, testDatabase } from '../testing/test-postgres.ts'
import { indexChanges } from './index-changes.ts'
import { type IndexDefinition, index } from './index-definition.ts'

const films = table(
  'films',
  { id: t.int(), title: t.string(), plot: t.optional(t.string()), budget: t.nullable(t.decimal()) },
  { key: 'id' },
)
const seats = table('seats', { hall: t.string(), row: t.int(), note: t.string() }, { key: ['hall', 'row'] })

let database: TestDatabase
let store: Store
let closing: (() => Promise<void>)[]

beforeEach(async () => {
  database = await testDatabase()
  store = openStore({ url: database.url, connections: 4, logger: silentLogger, applicationName: 'index test' })
  closing = []
  await store.sql`create table films (id bigint primary key, title text not null, plot text, budget numeric)`
  await store.sql`create table seats (hall text, "row" int, note text not null, primary key (hall, "row"))`
})

afterEach(async () => {
  for (const close of closing) await close()
  await store.close()
  await database.drop()
})

/** Starts the index and returns what handles a stretch of the log for it. */
async function follow(
  definition: IndexDefinition,
): Promise<(...changes: [number, Partial<Change>][]) => Promise<void>> {
  const engine = postgresSearch({ store, shape: definition.shape, logger: silentLogger, metrics: new Metrics() })
  definition.binding.bind(store, engine)
  closing.push(() => engine.close())
  await store.transaction((tx) => engine.prepare(tx))
  return (...changes) => {
    const records = changes.map(([position, change]) => recordOf(definition, position, change))
    return store.transaction((tx) => indexChanges({ definition, engine }, tx, records))
  }
}

function recordOf({ from }: IndexDefinition, position: number, given: Partial<Change>): LogRecord {
  const key = given.key ?? (given.row ? from.keyText(given.row) : '')
  const change: Change = { op: 'insert', table: from.name, row: null, before: null, ...given, key }
  const data = JSON.stringify(change)
  return { position, id: String(position), type: from.changeType, version: 1, key, data, meta: null, at: '' }
}

const film = (id: number, title: string, more: object = {}): Partial<Change> => ({
  row: { id, title, budget: null, ...more },
})
const gone = (id: number): Partial<Change> => ({ op: 'delete', key: String(id) })

const catalog = () =>
  index('catalog', {
    from: films,
    document: ({ title, plot, budget }) => (title === 'secret' ? null : { title, plot, budget }),
    search: ['title', 'plot'],
  })

test('rows become documents, the last change of a key stands, and deleted rows go', async () => {
  const definition = catalog()
  const handle = await follow(definition)
  await handle([1, { ...film(1, 'Alien'), op: 'snapshot' }], [2, film(2, 'Jaws')], [3, film(3, 'Heat')])
  await handle([4, { ...film(1, 'Aliens'), op: 'update' }], [5, gone(2)], [6, film(2, 'Jaws 2')], [7, gone(3)])
  expect(await definition.get(1)).toEqual({ title: 'Aliens', budget: null })
  expect(await definition.get(2)).toEqual({ title: 'Jaws 2', budget: null })
  expect(await definition.get(3)).toBeUndefined()
})

test('a stretch that comes again, or after a later one, changes nothing', async () => {
  const definition = catalog()
  const handle = await follow(definition)
  await handle([4, film(1, 'Aliens')], [5, gone(2)])
  await handle([1, film(1, 'Alien')], [2, film(2, 'Jaws')])
  await handle([4, film(1, 'Aliens')], [5, gone(2)])
  expect(await definition.get(1)).toMatchObject({ title: 'Aliens' })
  expect(await definition.get(2)).toBeUndefined()
})

test('a row whose document is null is left out, and comes and goes with its changes', async () => {
  const definition = catalog()
  const handle = await follow(definition)
  await handle([1, film(1, 'secret')])
  expect(await definition.get(1)).toBeUndefined()
  await handle([2, film(1, 'known')])
  expect(await definition.get(1)).toMatchObject({ title: 'known' })
  await handle([3, film(1, 'secret')])
  expect((await definition.search('')).total).toBe(0)
})

test('a truncation empties the index of what came before it, and keeps what came after', async () => {
  const definition = catalog()
  const handle = await follow(definition)
  await handle([1, film(1, 'Alien')])
  await handle([2, film(2, 'Jaws')], [3, { op: 'truncate', key: '' }], [4, film(3, 'Heat')])
  expect((await definition.search('')).hits.map(({ title }) => title)).toEqual(['Heat'])
})

test('large columns that a change left out are read from the table, the others taken from the change', async () => {
  const definition = catalog()
  const handle = await follow(definition)
  await store.sql`insert into films values (1, 'stored later', 'a long plot', 1.50), (2, 'other', null, null)`
  const left: Partial<Change> = { op: 'update', unchanged: ['plot', 'budget'] }
  await handle([1, { ...left, row: { id: 1, title: 'Alien' } }], [2, { ...left, row: { id: 2, title: 'Jaws' } }])
  // As a change would carry them: a decimal as text, an optional column without a value as absent.
  expect(await definition.get(1)).toEqual({ title: 'Alien', plot: 'a long plot', budget: '1.50' })
  expect(await definition.get(2)).toEqual({ title: 'Jaws', budget: null })
})

test('a row that is gone when its large columns are wanted has no document', async () => {
  const definition = catalog()
  const handle = await follow(definition)
  await handle([1, film(1, 'Alien')])
  await handle([2, { op: 'update', row: { id: 1, title: 'Aliens' }, unchanged: ['plot'] }])
  expect(await definition.get(1)).toBeUndefined()
})

test('several key columns make one text', async () => {
  const definition = index('seats', { from: seats, document: ({ note }) => ({ note }), search: ['note'] })
  const handle = await follow(definition)
  await store.sql`insert into seats values ('a', 1, 'aisle'), ('a', 2, 'window')`
  await handle(
    [1, { op: 'update', row: { hall: 'a', row: 1 }, unchanged: ['note'] }],
    [2, { row: { hall: 'a', row: 2, note: 'window' } }],
  )
  const { hits } = await definition.search('aisle')
  expect(hits).toEqual([{ id: '["a",1]', note: 'aisle', score: expect.any(Number) }])
  expect(await definition.get('["a",2]')).toEqual({ note: 'window' })
})

test('documents may be made asynchronously', async () => {
  const definition = index('later', {
    from: films,
    document: async ({ title }) => ({ title: await Promise.resolve(title.toUpperCase()), at: new Date(0) }),
    search: ['title'],
  })
  const handle = await follow(definition)
  await handle([1, film(1, 'Alien')])
  expect(await definition.get(1)).toEqual({ title: 'ALIEN', at: '1970-01-01T00:00:00.000Z' })
})

test.each<[string, (row: { title: string }) => object]>([
  ['throws', () => JSON.parse('{')],
  ['rejects', () => Promise.reject(new Error('no price'))],
  ['returns no object', ({ title }) => [title]],
  ['returns what is no JSON', () => ({ title: 1n })],
])('a document function that %s fails the record of its row, and nothing of the stretch stays', async (_, document) => {
  const definition = index('catalog', {
    from: films,
    document: (row) => (row.id === 2 ? document(row) : { title: row.title }) as { title: string },
    search: ['title'],
  })
  const handle = await follow(definition)
  const failed = await handle([1, film(1, 'Alien')], [2, film(2, 'Jaws')]).catch((error: unknown) => error)
  expect(failed).toBeInstanceOf(HandlerFailure)
  expect(failed).toMatchObject({
    record: { position: 2 },
    cause: {
      code: 'HANDLER_FAILED',
      message: expect.stringContaining('index "catalog" cannot make the document of films 2'),
    },
  })
  expect(await definition.get(1)).toBeUndefined()
})

test('what cannot be an index is refused where it is declared', () => {
  const declare = (options: object) => () =>
    index('x', { from: films, document: (row: object) => row, ...options } as never)
  expect(declare({ search: [] })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
  expect(declare({ search: ['title^0'] })).toThrow(/cannot search "title\^0"/)
  expect(declare({ search: ['title', 'title^2'] })).toThrow(/names field "title" twice/)
  expect(declare({ search: ['title'], fields: [] })).toThrow(expect.objectContaining({ code: 'OPTION_UNKNOWN' }))
  expect(declare({ search: ['title'], from: {} })).toThrow(/needs a table/)
  expect(() => index('Bad Name', { from: films, document: ({ title }) => ({ title }), search: ['title'] })).toThrow(
    expect.objectContaining({ code: 'NAME_INVALID' }),
  )
})

test('fields, weights, filters and the text of the document function make another definition', () => {
  const hash = (options: object): string =>
    index('x', { from: films, document: (row: object) => row, search: ['title'], ...options } as never).shape.hash
  const first = hash({})
  expect(hash({})).toBe(first)
  const others = [{ search: ['title^2'] }, { filters: ['title'] }, { document: (row: object) => ({ ...row, more: 1 }) }]
  expect(new Set([first, ...others.map(hash)]).size).toBe(4)
})
