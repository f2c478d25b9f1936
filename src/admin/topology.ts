import type { ConsumerView, PartKind, Status, StreamTopics, Topology, TopologyEdge, TopologyNode } from './contract.ts'
import { type Follower, followersOf } from './followers.ts'
import type { Rates } from './rates.ts'
import type { AdminSources } from './sources.ts'

/** The map of an app, from its declarations alone, with what flows just now. */
export function topologyOf(sources: AdminSources, rates: Rates, views: readonly ConsumerView[]): Topology {
  const { tables, events, consumers, caches, indexes, routes } = sources.parts
  const node = (kind: PartKind, name: string, rate: number, facts: Record<string, string>): TopologyNode => ({
    id: `${kind}:${name}`,
    kind,
    name,
    status: statusOf(kind, name, views),
    rate,
    facts,
  })
  const nodes = [
    ...tables.map(({ name, key, fields, changeType }) =>
      node('table', name, rates.ofType(changeType), {
        key: key.join(', '),
        columns: String(Object.keys(fields).length),
      }),
    ),
    ...events.map(({ name, version }) => node('event', name, rates.ofType(name), { version: String(version) })),
    ...caches.map(({ name, max, ttlMs }) =>
      node('cache', name, rates.ofCache(name), {
        entries: `${sources.cacheStats(name)?.entries ?? 0} of ${max}`,
        ...(ttlMs === undefined ? {} : { ttl: `${ttlMs / 1000} s` }),
      }),
    ),
    ...indexes.map(({ name, shape }) =>
      node('index', name, rates.ofConsumer(`index:${name}`), {
        search: shape.search.map(({ field }) => field).join(', '),
      }),
    ),
    ...consumers.map(({ name, options }) =>
      node('consumer', name, rates.ofConsumer(name), {
        attempts: String(options.attempts),
        concurrency: String(options.concurrency),
      }),
    ),
    ...routes.map(({ name }) => node('route', name, rates.ofRoute(name), {})),
  ]
  return { nodes, edges: edgesOf(sources, rates) }
}

/** What the live stream tells of the map once it is drawn. */
export function ratesOf(topology: Topology): StreamTopics['rates'] {
  return {
    nodes: Object.fromEntries(topology.nodes.map(({ id, rate, status }) => [id, { rate, status }])),
    edges: Object.fromEntries(topology.edges.map(({ from, to, rate }) => [`${from}>${to}`, rate])),
  }
}

function edgesOf({ parts }: AdminSources, rates: Rates): TopologyEdge[] {
  const sourceOf = (type: string): string => {
    const table = parts.tables.find(({ changeType }) => changeType === type)
    return table === undefined ? `event:${type}` : `table:${table.name}`
  }
  // A pattern stands for the declared events that fit.
  const typesOf = ({ types, selection }: Follower): string[] =>
    [...new Set([...types, ...parts.events.map(({ name }) => name)])].filter((type) => selection.means(type))
  return followersOf(parts).flatMap((follower) =>
    typesOf(follower).map((type) => ({
      from: sourceOf(type),
      to: `${follower.kind}:${follower.name}`,
      rate: rates.ofType(type),
      async: true,
    })),
  )
}

function statusOf(kind: PartKind, name: string, views: readonly ConsumerView[]): Status {
  return views.find((view) => view.kind === kind && view.name === name)?.status ?? 'ok'
}
