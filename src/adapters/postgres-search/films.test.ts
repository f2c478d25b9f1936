import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { table } from '../../events/table.ts'
import { silentLogger } from '../../kernel/logger.ts'
import { Metrics } from '../../kernel/metrics.ts'
import { t } from '../../kernel/schema.ts'
import { index } from '../../search/index-definition.ts'
import type { SearchEngine } from '../../search/search-engine.ts'
import { openStore, type Store } from '../../store/store.ts'
import { type TestDatabase, testDatabase } from '../../testing/test-postgres.ts'
import { postgresSearch } from './postgres-search.ts'

// The 3,201 films of vega-datasets, as they are: numbers for titles, nulls, and letters that were once misread.
interface Movie {
  Title: string | number | null
  Director: string | null
  'Major Genre': string | null
  'IMDB Rating': number | null
}
const moviesFile = new URL('../data/movies.json', import.meta.resolve('vega-datasets'))
const movies = JSON.parse(readFileSync(moviesFile, 'utf8')) as Movie[]

const films = table(
  'films',
  { id: t.int(), title: t.string(), director: t.nullable(t.string()), genre: t.string(), rating: t.number() },
  { key: 'id' },
)
const catalog = index('catalog', {
  from: films,
  document: ({ id, ...shown }) => shown,
  search: ['title^3', 'director'],
  filters: ['director', 'genre', 'rating'],
})

let database: TestDatabase
let store: Store
let engine: SearchEngine

beforeAll(async () => {
  database = await testDatabase()
  store = openStore({ url: database.url, connections: 4, logger: silentLogger, applicationName: 'films test' })
  engine = postgresSearch({ store, shape: catalog.shape, logger: silentLogger, metrics: new Metrics() })
  catalog.binding.bind(store, engine)
  await store.transaction((tx) => engine.prepare(tx))
  const documents = movies.map((movie, i) => ({
    id: String(i + 1),
    version: i + 1,
    document: {
      title: String(movie.Title),
      director: movie.Director,
      genre: movie['Major Genre'] ?? 'Other',
      rating: movie['IMDB Rating'] ?? 0,
    },
  }))
  for (let i = 0; i < documents.length; i += 500)
    await store.transaction((tx) => engine.apply(tx, documents.slice(i, i + 500)))
  await engine.refresh()
})

afterAll(async () => {
  await engine.close()
  await store.close()
  await database.drop()
})

async function titles(query: string, count = 5): Promise<string[]> {
  return (await catalog.search(query, { limit: count })).hits.map(({ title }) => title)
}

test('star wars finds the Star Wars films first, with their ids as numbers', async () => {
  const { total, hits, corrected } = await catalog.search('star wars')
  expect(total).toBe(7)
  expect(corrected).toBeUndefined()
  for (const { title } of hits) expect(title).toMatch(/^Star Wars/)
  expect(hits.find(({ title }) => title.includes('New Hope'))).toMatchObject({ id: 913, director: 'George Lucas' })
  expect(Object.keys(hits[0] ?? {})).toEqual(['id', 'title', 'director', 'genre', 'rating', 'score'])
})

test.each([
  ['star wras', 'star wars', /^Star Wars/],
  ['godfahter', 'godfather', /^The Godfather/],
  ['the godfahter', 'the godfather', /^The Godfather/],
  ['speilberg jaws', 'spielberg jaws', /^Jaws$/],
  ['mision imposible', 'mission impossible', /^Mission: Impossible/],
  ['terminater 2', 'terminator 2', /^Terminator 2/],
  ['bladerunner', 'blade runner', /^Blade Runner$/],
  ['star wars xyzzyplugh', 'star wars', /^Star Wars/],
])('%s is taken for %s', async (query, corrected, title) => {
  const answer = await catalog.search(query)
  expect(answer.corrected).toBe(corrected)
  expect(answer.hits[0]?.title).toMatch(title)
})

test.each([
  ['godfa', 'The Godfather'],
  ['the godfather', 'The Godfather'],
  ['spiderman', 'Spider-Man'],
  ['spider man 2', 'Spider-Man 2'],
  ['schindler', "Schindler's List"],
  ['schindlers list', "Schindler's List"],
  ['e.t.', 'ET: The Extra-Terrestrial'],
  ['leon', 'LÈon'],
  ['1776', '1776'],
  ['the matrix', 'The Matrix'],
  ['the godfather 2', 'The Godfather'],
  ['rings return king', 'The Lord of the Rings: The Return of the King'],
  ['jaws spielberg', 'Jaws'],
])('%s brings %s first', async (query, title) => {
  expect(await titles(query, 1)).toEqual([title])
})

test('a word as written comes before longer words and guesses', async () => {
  const found = await titles('alien', 4)
  expect(found[0]).toBe('Alien')
  expect(found).toContain('Aliens')
  // 'wars' occurs, so a search for it is no search for 'was'.
  expect((await catalog.search('wars ')).corrected).toBeUndefined()
})

test('a number is taken by its digits, never for another number', async () => {
  // Nothing has both words: whatever has one of them as it is written, and 2001 only for its odyssey.
  const either = await titles('2002 odyssey')
  expect(either).toEqual(expect.arrayContaining(['Metropolis (2002)', '2001: A Space Odyssey']))
  for (const title of either) expect(title).toMatch(/2002|odyssey/i)
  expect(await titles('1234')).toEqual([])
})

test('what no film has finds nothing', async () => {
  expect(await catalog.search('xyzzyplugh')).toMatchObject({ total: 0, hits: [] })
  expect(await catalog.search('?!')).toMatchObject({ total: 0, hits: [] })
})

test('filters, facets, sorting and paging work together', async () => {
  const options = { filters: { genre: ['Action', 'Adventure'], rating: { gte: 7 } }, sort: '-rating' } as const
  const first = await catalog.search('the', { ...options, facets: { genre: 5, director: 2 }, limit: 3 })
  const ratings = first.hits.map(({ rating }) => rating)
  expect(ratings).toEqual([...ratings].sort((a, b) => b - a))
  expect(first.facets?.genre?.map(({ value }) => value).sort()).toEqual(['Action', 'Adventure'])
  expect(first.facets?.genre?.reduce((sum, { count }) => sum + count, 0)).toBe(first.total)
  const second = await catalog.search('the', { ...options, limit: 3, offset: 3 })
  expect(second.hits[0]?.rating).toBeLessThanOrEqual(ratings[2] ?? 0)
  expect(second.hits.map(({ id }) => id)).not.toContain(first.hits[0]?.id)
})

test('an empty query browses all films', async () => {
  expect(await catalog.search('', { limit: 1 })).toMatchObject({ total: 3201, hits: [{}] })
})

test('highlights mark the word, typed rightly or not', async () => {
  const { hits } = await catalog.search('godfahter copola', { highlight: true, limit: 1 })
  expect(hits[0]?.highlights).toEqual({
    title: 'The <mark>Godfather</mark>',
    director: 'Francis Ford <mark>Coppola</mark>',
  })
})

test('get answers by the number or its text', async () => {
  expect(await catalog.get(913)).toMatchObject({ title: 'Star Wars Ep. IV: A New Hope' })
  expect(await catalog.get('913')).toEqual(await catalog.get(913))
  expect(await catalog.get(99_999)).toBeUndefined()
})

test('options that do not fit are refused, each by its place and with the fields there are', async () => {
  const wrong = { filters: { tilte: 'x', rating: { above: 3 } }, limit: 1000, order: 1 }
  await expect(catalog.search('x', wrong as never)).rejects.toMatchObject({
    code: 'SEARCH_INVALID',
    status: 400,
    hint: expect.stringContaining('director, genre, rating'),
    issues: [
      { path: '/order', message: expect.any(String) },
      { path: '/limit', message: 'must be a whole number from 0 to 100' },
      { path: '/filters/tilte', message: 'is not a filter field of the index' },
      { path: '/filters/rating/above', message: 'is not a bound (gt, gte, lt, lte)' },
    ],
  })
  await expect(catalog.search('x', { offset: 9990 })).rejects.toMatchObject({ code: 'SEARCH_INVALID' })
  await expect(catalog.search(7 as never)).rejects.toMatchObject({ code: 'SEARCH_INVALID' })
})
