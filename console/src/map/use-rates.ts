import { useState } from 'react'
import { useTopic } from '../api/use-live.ts'
import type { StreamTopics, Topology } from '../contract.ts'

/** The map with the rates and states of this second. */
export function useLiveTopology(topology: Topology): Topology {
  const [rates, setRates] = useState<StreamTopics['rates']>()
  useTopic('rates', setRates)
  if (rates === undefined) return topology
  return {
    nodes: topology.nodes.map((node) => ({ ...node, ...rates.nodes[node.id] })),
    edges: topology.edges.map((edge) => ({ ...edge, rate: rates.edges[`${edge.from}>${edge.to}`] ?? edge.rate })),
  }
}
