import { expect, test } from 'vitest'
import { topology } from '../../dev/film-shop.ts'
import { place, related } from './layout.ts'
import { wide } from './spacing.ts'

test('an edge points to the right', () => {
  const { places } = place(topology, wide)
  for (const { from, to } of topology.edges) {
    expect(places.get(from)?.x, `${from} > ${to}`).toBeLessThan(places.get(to)?.x ?? 0)
  }
})

test('the order of the declarations does not move the drawing', () => {
  const turned = { nodes: topology.nodes.toReversed(), edges: topology.edges.toReversed() }
  expect([...place(turned, wide).places].sort()).toEqual([...place(topology, wide).places].sort())
})

test('what feeds a part and what it feeds belong to it', () => {
  expect([...related('event:stock.low', topology)].sort()).toEqual([
    'consumer:low-stock',
    'consumer:reorder',
    'event:stock.low',
    'route:PATCH /films/:id',
    'route:POST /orders',
    'table:films',
  ])
})

test('parts that no edge orders stand in columns: requests, what is kept, what follows', () => {
  const { places } = place({ nodes: topology.nodes, edges: [] }, wide)
  const columns = (kinds: string[]): number[] =>
    topology.nodes.filter(({ kind }) => kinds.includes(kind)).map(({ id }) => places.get(id)?.x ?? Number.NaN)
  const [route] = columns(['route'])
  const [kept] = columns(['table'])
  const [follower] = columns(['cache'])
  expect(new Set(columns(['route']))).toEqual(new Set([route]))
  expect(new Set(columns(['table', 'event']))).toEqual(new Set([kept]))
  expect(new Set(columns(['cache', 'index', 'consumer']))).toEqual(new Set([follower]))
  expect([route, kept, follower]).toEqual([route, kept, follower].toSorted((a, b) => Number(a) - Number(b)))
})
