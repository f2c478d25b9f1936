import { expect, test } from 'vitest'
import { filmsByFame, readFilms } from '../src/data.ts'

const films = readFilms()

test('there are 3,201 films, each fit to be sold', () => {
  expect(films.length).toBe(3201)
  expect(films[0]).toEqual({
    id: 1,
    title: 'The Land Girls',
    director: null,
    year: 1998,
    genre: 'Other',
    rating: 6.1,
    price: 1199,
    stock: 47,
  })
  for (const film of films) {
    expect(film.title.trim()).not.toBe('')
    expect(film.year).toBeGreaterThan(1914)
    expect(film.year).toBeLessThan(2012)
    expect(film.price % 100).toBe(99)
    expect(film.price).toBeGreaterThanOrEqual(499)
    expect(film.price).toBeLessThanOrEqual(1699)
    expect(film.stock).toBeGreaterThanOrEqual(10)
  }
})

test('titles read as they should', () => {
  const titles = new Set(films.map(({ title }) => title))
  for (const title of ['1941', 'Léon', 'Caché', 'Die Fälscher', 'Joyeux Noël', 'The Charge of the Light Brigade']) {
    expect(titles).toContain(title)
  }
  expect([...titles].filter((title) => /[ÈÍËÎ‡·‰ÙÛ˘ΩÖ\u0080-\u009f]/.test(title))).toEqual([])
})

test('the most voted film is the most famous', () => {
  const order = filmsByFame()
  expect(new Set(order).size).toBe(3201)
  expect(films[(order[0] ?? 0) - 1]?.title).toBe('The Shawshank Redemption')
})
