import { readFileSync } from 'node:fs'

/** A film as the shop sells it. */
export interface Film {
  id: number
  title: string
  director: string | null
  year: number
  genre: string
  /** IMDb rating, 0 to 10. */
  rating: number | null
  /** Cents. */
  price: number
  stock: number
}

/** What the data set says of a film; several titles are numbers there, such as 1941. */
interface Movie {
  Title: string | number | null
  Director: string | null
  'Release Date': string
  'Major Genre': string | null
  'IMDB Rating': number | null
  'IMDB Votes': number | null
}

/** The 3,201 films of `vega-datasets` (movies.json), numbered from 1 in their order there: the same on every machine. */
export function readFilms(): Film[] {
  return readMovies().map((movie, i) => toFilm(i + 1, movie))
}

/** The films' numbers, those with most votes on IMDb first. */
export function filmsByFame(): number[] {
  const votes = readMovies().map((movie) => movie['IMDB Votes'] ?? 0)
  return votes.map((_, i) => i + 1).sort((a, b) => (votes[b - 1] ?? 0) - (votes[a - 1] ?? 0) || a - b)
}

function readMovies(): Movie[] {
  // The package exports its code only; the data lies beside it.
  const file = new URL('../data/movies.json', import.meta.resolve('vega-datasets'))
  return JSON.parse(readFileSync(file, 'utf8')) as Movie[]
}

function toFilm(id: number, movie: Movie): Film {
  const year = yearOf(movie['Release Date'])
  const rating = movie['IMDB Rating']
  return {
    id,
    title: titleOf(movie.Title, id),
    director: movie.Director,
    year,
    genre: movie['Major Genre'] ?? 'Other',
    rating,
    price: priceOf(year, rating),
    stock: 10 + ((id * 37) % 91),
  }
}

/** `Sep 17 2020` was 1920: the data set ends in 2011 and wrote older years with two digits. */
function yearOf(date: string): number {
  const year = Number(date.slice(-4))
  return year > 2011 ? year - 100 : year
}

function titleOf(title: string | number | null, id: number): string {
  const text = title === null ? `Untitled film ${id}` : repairLetters(String(title))
  // `Charge of the Light Brigade, The`
  return text.replace(/^(.+), (The|An?)$/, '$2 $1')
}

/** Letters that were read in the wrong encoding once, as they stand in the data and as they were meant. */
const repairs = new Map([...'ÈÍËÎ‡·‰ÙÛ˘ΩÖ'].map((wrong, i) => [wrong, 'éêèëàáäôóù½…'[i] ?? wrong]))

function repairLetters(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (letter) => repairs.get(letter) ?? letter)
}

/** From 4.99 to 16.99: what is new and well liked costs more. */
function priceOf(year: number, rating: number | null): number {
  const fresh = Math.max(0, year - 1980) / 31
  const liked = (rating ?? 5) / 10
  return 499 + 100 * Math.min(12, Math.round(7 * fresh + 5 * liked))
}
