import { randomUUID } from 'node:crypto'
import { app, cache, event, index, on, route, t, table } from 'millrace'
import { changeFilm, stockShelves, takeOffShelf } from './shelves.ts'

const shelf = { title: t.string({ minLength: 1 }), price: t.int({ minimum: 0 }), stock: t.int({ minimum: 0 }) }
const facts = { director: t.nullable(t.string()), year: t.int(), genre: t.string(), rating: t.nullable(t.number()) }
const purchase = { film: t.int(), quantity: t.int({ minimum: 1, maximum: 10 }) }

export const films = table('films', { id: t.int(), ...shelf, ...facts }, { key: 'id' })
export const orders = table('orders', { id: t.uuid(), ...purchase, total: t.int() }, { key: 'id' })
export const receipts = table('receipts', { order: t.uuid(), text: t.string() }, { key: 'order' })

export const film = cache('film', { from: films, ttl: '10m' })
export const catalog = index('catalog', {
  from: films,
  document: ({ id, rating, stock, ...shown }) => ({ ...shown, inStock: stock > 0 }),
  search: ['title^3', 'director'],
})

export const orderPlaced = event('order.placed', { order: t.uuid(), ...purchase, total: t.int() }, { key: 'order' })

// Without `on conflict`: a second receipt of an order would fail loudly instead of passing unseen.
export const sendReceipt = on('receipts', orderPlaced, async ({ data, sql }) => {
  const title = (await film.get(data.film))?.title ?? `film ${data.film}`
  const text = `${data.quantity} × ${title}: ${(data.total / 100).toFixed(2)}`
  await sql`insert into receipts ("order", text) values (${data.order}, ${text})`
})

const id = { id: t.int() }
const changes = { title: t.optional(shelf.title), price: t.optional(shelf.price), stock: t.optional(shelf.stock) }

export const api = [
  route('GET /films/:id', { params: id }, ({ params }) => film.get(params.id)),

  route('GET /search', { query: { q: t.string() } }, ({ query }) => catalog.search(query.q)),

  route('PATCH /films/:id', { params: id, body: changes }, ({ params, body, sql }) => changeFilm(sql, params.id, body)),

  route('POST /orders', { body: purchase, status: 201 }, ({ body, transaction }) =>
    transaction(async ({ sql, publish }) => {
      const price = await takeOffShelf(sql, body.film, body.quantity)
      const placed = { order: randomUUID(), ...body, total: price * body.quantity }
      await sql`
        insert into orders (id, film, quantity, total)
        values (${placed.order}, ${placed.film}, ${placed.quantity}, ${placed.total})`
      await publish(orderPlaced, placed)
      return placed
    }),
  ),
]

export default app(
  'film-shop',
  { films, orders, receipts, film, catalog, orderPlaced, sendReceipt, api },
  { setup: ({ sql }) => stockShelves(sql) },
)
