import { expect, test } from 'vitest'
import { cache } from '../cache/cache-definition.ts'
import { on } from '../delivery/on.ts'
import { event } from '../events/event.ts'
import { table } from '../events/table.ts'
import { t } from '../kernel/schema.ts'
import { index } from '../search/index-definition.ts'
import { app } from './app-definition.ts'

const films = table('films', { id: t.int(), title: t.string() }, { key: 'id' })
const songs = table('songs', { id: t.int(), title: t.string() }, { key: 'id' })
const seats = table('seats', { id: t.int(), taken: t.boolean() }, { key: 'id' })
const sold = event('sold', { n: t.int() })

test('what is only reached through its followers belongs to the app', () => {
  const { parts } = app('shop', {
    film: cache('film', { from: films }),
    hits: index('hits', { from: songs, document: ({ title }) => ({ title }), search: ['title'] }),
    watch: on('watch', seats, () => {}),
    count: on('count', sold, () => {}),
  })
  expect(parts.tables.map(({ name }) => name).sort()).toEqual(['films', 'seats', 'songs'])
  expect(parts.events).toEqual([sold])
})

test('a declaration that is listed twice, or listed and followed, counts once', () => {
  const { parts } = app('shop', [films, films, [films, cache('film', { from: films })]])
  expect(parts.tables).toEqual([films])
})

test.each([
  ['a function', { films: () => films }, 'films'],
  ['nothing', { films: undefined }, 'films'],
  ['null', { films: null }, 'films'],
  ['an object of another kind', { films: { kind: 'film', name: 'films' } }, 'films'],
  ['an object named like what every object has', { films: { kind: 'constructor', name: 'films' } }, 'films'],
  ['an app in an app', { films: app('inner', [films]) }, 'films'],
  ['a text in a list', { list: [films, ['films']] }, 'list[1][0]'],
])('%s is refused, and the error says where it stands', (_, parts, where) => {
  expect(() => app('shop', parts as never)).toThrow(
    expect.objectContaining({ code: 'APP_INVALID', message: `app "shop": ${where} is not a declaration` }),
  )
})

test.each([[undefined], [null], [7]])('an app of %s is refused', (parts) => {
  expect(() => app('shop', parts as never)).toThrow(expect.objectContaining({ code: 'APP_INVALID' }))
})

test('two declarations of one kind cannot share a name; of two kinds they can', () => {
  const twin = table('films', { id: t.int() }, { key: 'id' })
  expect(() => app('shop', [films, twin])).toThrow(
    expect.objectContaining({ code: 'NAME_TAKEN', message: 'app "shop" has two table declarations named "films"' }),
  )
  // The twin is reached through a follower only.
  expect(() => app('shop', [films, cache('film', { from: twin })])).toThrow(
    expect.objectContaining({ code: 'NAME_TAKEN' }),
  )
  expect(() => app('shop', [films, cache('films', { from: films })])).not.toThrow()
})

test('a name or an option that is misspelt is refused', () => {
  expect(() => app('Film Shop', [])).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }))
  expect(() => app('shop', [], { setUp: async () => {} } as never)).toThrow(
    expect.objectContaining({ code: 'OPTION_UNKNOWN' }),
  )
})
