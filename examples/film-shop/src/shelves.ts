import { PlatformError, type Sql } from 'millrace'
import { type Film, readFilms } from './data.ts'

/** Fills the shelves of a shop that has none. */
export async function stockShelves(sql: Sql): Promise<void> {
  await sql`
    insert into films
    select film.* from jsonb_populate_recordset(null::films, ${JSON.stringify(readFilms())}) film
     where not exists (select from films)
    on conflict do nothing`
}

/** Changes what is given and returns the film as it is now. */
export async function changeFilm(sql: Sql, id: number, { title, price, stock }: Partial<Film>): Promise<Film> {
  const [film] = await sql<Film>`
    update films
       set title = coalesce(${title}, title), price = coalesce(${price}, price), stock = coalesce(${stock}, stock)
     where id = ${id}
    returning *`
  return film ?? noSuchFilm(id)
}

/** Takes so many off the shelf and returns the price of one. CONFLICT when there are not that many. */
export async function takeOffShelf(sql: Sql, id: number, quantity: number): Promise<number> {
  const [taken] = await sql<{ price: number }>`
    update films set stock = stock - ${quantity} where id = ${id} and stock >= ${quantity} returning price`
  if (taken !== undefined) return taken.price
  const [film] = await sql<Film>`select title, stock from films where id = ${id}`
  if (film === undefined) return noSuchFilm(id)
  throw new PlatformError('CONFLICT', `${film.title}: ${film.stock} left, ${quantity} wanted`, { hint: 'Order fewer.' })
}

function noSuchFilm(id: number): never {
  throw new PlatformError('NOT_FOUND', `there is no film ${id}`)
}
