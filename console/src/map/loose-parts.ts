import type { PartKind, TopologyNode } from '../contract.ts'
import { nodeGap, nodeHeight, type Place, type Spacing } from './spacing.ts'

/**
 * The layer in which a part stands at the earliest: requests come in at the left and change what is kept; others follow
 * that. It orders the parts that no edge orders.
 */
export const earliest: Record<PartKind, number> = { route: 1, table: 2, event: 2, cache: 3, index: 3, consumer: 3 }
const layers = [1, 2, 3]
const rowPx = nodeHeight + nodeGap

/** Adds the parts without an edge: each in the column of its kind, below what stands there, else in the middle. */
export function placeLoose(
  nodes: readonly TopologyNode[],
  tied: ReadonlyMap<string, Place>,
  spacing: Spacing,
): Map<string, Place> {
  const places = new Map(tied)
  const columns = columnsOf(nodes, tied, spacing)
  const lowest = Math.max(0, ...[...tied.values()].map(({ y }) => y))
  for (const [i, x] of columns.entries()) {
    const column = nodes.filter(({ id, kind }) => !tied.has(id) && earliest[kind] === layers[i])
    const above = [...tied.values()].filter((place) => Math.abs(place.x - x) < 1).map(({ y }) => y)
    const middle = Math.max(0, (lowest - column.length * rowPx) / 2)
    const top = above.length > 0 ? Math.max(...above) + rowPx : middle
    for (const [row, { id }] of column.entries()) places.set(id, { x, y: top + row * rowPx })
  }
  return places
}

/** Where the column of each layer is: as its tied parts stand, else a step from those of another layer. */
function columnsOf(
  nodes: readonly TopologyNode[],
  tied: ReadonlyMap<string, Place>,
  { nodeWidth, gap }: Spacing,
): number[] {
  const found = layers.map((layer) => {
    const places = nodes.flatMap(({ id, kind }) => (earliest[kind] === layer ? [tied.get(id) ?? []].flat() : []))
    return places.length === 0 ? undefined : Math.min(...places.map(({ x }) => x))
  })
  const step = nodeWidth + gap
  const known = found.findIndex((x) => x !== undefined)
  const origin = known === -1 ? 0 : (found[known] ?? 0) - known * step
  return found.map((x, i) => x ?? origin + i * step)
}
