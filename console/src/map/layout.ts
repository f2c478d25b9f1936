import { graphlib, layout } from '@dagrejs/dagre'
import type { Topology } from '../contract.ts'
import { earliest, placeLoose } from './loose-parts.ts'
import { nodeGap, nodeHeight, type Place, type Spacing } from './spacing.ts'

export interface Layout {
  width: number
  height: number
  places: Map<string, Place>
}

const start = 'start'

/**
 * Left to right in layers, each edge pointing right where there is no circle. Nodes and edges go in by name, so that the
 * same app always looks the same. Parts without an edge stand in the column of their kind, below those that have one.
 */
export function place(topology: Topology, spacing: Spacing): Layout {
  const nodes = topology.nodes.toSorted((a, b) => compare(a.id, b.id))
  const edged = new Set(topology.edges.flatMap(({ from, to }) => [from, to]))
  const tied = placeTied(
    nodes.filter(({ id }) => edged.has(id)),
    topology.edges,
    spacing,
  )
  return moved(placeLoose(nodes, tied, spacing), spacing)
}

function placeTied(
  nodes: Topology['nodes'],
  edges: Topology['edges'],
  { nodeWidth, gap }: Spacing,
): Map<string, Place> {
  const graph = new graphlib.Graph()
  graph.setGraph({ rankdir: 'LR', ranksep: gap, nodesep: nodeGap })
  graph.setDefaultEdgeLabel(() => ({}))
  graph.setNode(start, { width: 0, height: 0 })
  for (const { id, kind } of nodes) {
    graph.setNode(id, { width: nodeWidth, height: nodeHeight })
    graph.setEdge(start, id, { minlen: earliest[kind], weight: 0.01 })
  }
  for (const { from, to } of edges.toSorted((a, b) => compare(a.from, b.from) || compare(a.to, b.to))) {
    if (graph.hasNode(from) && graph.hasNode(to)) graph.setEdge(from, to)
  }
  layout(graph)
  return new Map(nodes.map(({ id }): [string, Place] => [id, { x: graph.node(id).x, y: graph.node(id).y }]))
}

/** From middles anywhere to upper left corners that begin at 0. */
function moved(places: ReadonlyMap<string, Place>, { nodeWidth }: Spacing): Layout {
  const xs = [...places.values()].map(({ x }) => x)
  const ys = [...places.values()].map(({ y }) => y)
  const [left, top] = [Math.min(...xs), Math.min(...ys)]
  return {
    width: Math.max(...xs) - left + nodeWidth,
    height: Math.max(...ys) - top + nodeHeight,
    places: new Map([...places].map(([id, { x, y }]) => [id, { x: x - left, y: y - top }])),
  }
}

/** Everything that feeds a node and everything that it feeds, itself included. */
export function related(id: string, { edges }: Topology): Set<string> {
  return new Set([...reach(id, edges, 'from', 'to'), ...reach(id, edges, 'to', 'from')])
}

function reach(start: string, edges: Topology['edges'], near: 'from' | 'to', far: 'from' | 'to'): Set<string> {
  const found = new Set([start])
  const queue = [start]
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const edge of edges) {
      if (edge[near] !== id || found.has(edge[far])) continue
      found.add(edge[far])
      queue.push(edge[far])
    }
  }
  return found
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
