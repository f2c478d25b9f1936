import type { Topology } from '../../src/admin/contract.ts'

/** A few films of the shop, enough for data that reads like data. */
export const films: readonly (readonly [id: number, title: string, director: string, year: number])[] = [
  [1, 'Star Wars', 'George Lucas', 1977],
  [2, 'The Godfather', 'Francis Ford Coppola', 1972],
  [3, 'Rear Window', 'Alfred Hitchcock', 1954],
  [4, 'Metropolis', 'Fritz Lang', 1927],
  [5, 'Seven Samurai', 'Akira Kurosawa', 1954],
  [6, 'Some Like It Hot', 'Billy Wilder', 1959],
  [7, 'La Strada', 'Federico Fellini', 1954],
  [8, 'The Third Man', 'Carol Reed', 1949],
  [9, 'Playtime', 'Jacques Tati', 1967],
  [10, 'Alien', 'Ridley Scott', 1979],
  [11, 'Paris, Texas', 'Wim Wenders', 1984],
  [12, 'Fargo', 'Joel Coen', 1996],
  [13, 'In the Mood for Love', 'Wong Kar-wai', 2000],
  [14, 'Spirited Away', 'Hayao Miyazaki', 2001],
  [15, 'Amélie', 'Jean-Pierre Jeunet', 2001],
  [16, 'Solaris', 'Andrei Tarkovsky', 1972],
]

/** What the fake app declares; rates are those of a busy minute. */
export const topology: Topology = {
  nodes: [
    node('route', 'PATCH /films/:id', 1.9, { method: 'PATCH', path: '/films/:id', example: '{"price":999}' }),
    node('route', 'POST /orders', 4.1, { method: 'POST', path: '/orders', example: '{"film":1,"quantity":1}' }),
    node('route', 'GET /films/:id', 31.5, { method: 'GET', path: '/films/:id' }),
    node('route', 'GET /search', 12.2, { method: 'GET', path: '/search' }),
    node('table', 'films', 6.2, { key: 'id', columns: '7', rows: '3,201' }),
    node('table', 'orders', 4.1, { key: 'id', columns: '5' }),
    node('event', 'order.placed', 4.1, {
      version: '1',
      key: 'film',
      example: '{"order":"o-1","film":1,"quantity":1,"total":999}',
    }),
    node('event', 'stock.low', 0.6, { version: '1', key: 'film' }),
    node('cache', 'film', 6.2, { from: 'films', ttl: '10m', hits: '98.4 %' }),
    node('index', 'catalog', 6.2, { from: 'films', documents: '3,201', search: 'title, director, genre' }),
    node('consumer', 'receipts', 4.1, { slots: '16', retries: '8' }),
    node('consumer', 'low-stock', 6.2, { slots: '16', retries: '8' }),
    node('consumer', 'reorder', 0.6, { slots: '4', retries: '20' }),
  ],
  edges: [
    edge('route:PATCH /films/:id', 'table:films', 1.9, false),
    edge('route:POST /orders', 'table:films', 4.1, false),
    edge('route:POST /orders', 'table:orders', 4.1, false),
    edge('route:POST /orders', 'event:order.placed', 4.1, false),
    edge('cache:film', 'route:GET /films/:id', 31.5, false),
    edge('index:catalog', 'route:GET /search', 12.2, false),
    edge('table:films', 'cache:film', 6.2, true),
    edge('table:films', 'index:catalog', 6.2, true),
    edge('table:films', 'consumer:low-stock', 6.2, true),
    edge('consumer:low-stock', 'event:stock.low', 0.6, false),
    edge('event:stock.low', 'consumer:reorder', 0.6, true),
    edge('event:order.placed', 'consumer:receipts', 4.1, true),
  ],
}

function node(
  kind: Topology['nodes'][number]['kind'],
  name: string,
  rate: number,
  facts: Record<string, string>,
): Topology['nodes'][number] {
  return { id: `${kind}:${name}`, kind, name, status: 'ok', rate, facts }
}

function edge(from: string, to: string, rate: number, async: boolean): Topology['edges'][number] {
  return { from, to, rate, async }
}

/** Which followers an event of a type has. */
export function followersOf(type: string): readonly { follower: string; kind: 'consumer' | 'cache' | 'index' }[] {
  switch (type) {
    case 'change:films':
      return [
        { follower: 'film', kind: 'cache' },
        { follower: 'catalog', kind: 'index' },
        { follower: 'low-stock', kind: 'consumer' },
      ]
    case 'order.placed':
      return [{ follower: 'receipts', kind: 'consumer' }]
    case 'stock.low':
      return [{ follower: 'reorder', kind: 'consumer' }]
    default:
      return []
  }
}

export const orderPlacedSchema: unknown = {
  type: 'object',
  required: ['order', 'film', 'quantity', 'total'],
  additionalProperties: false,
  properties: {
    order: { type: 'string', description: 'Id of the order.' },
    film: { type: 'integer', description: 'Id of the film that was bought.' },
    quantity: { type: 'integer', minimum: 1 },
    total: { type: 'integer', description: 'Price of all copies in cents.' },
  },
}
