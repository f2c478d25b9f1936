import { Link } from '@tanstack/react-router'
import type { Topology, TopologyEdge, TopologyNode } from '../contract.ts'
import { firstSteps } from '../events/first-steps.ts'
import { buttonClass } from '../ui/button.tsx'
import { Command, CopyButton } from '../ui/copy.tsx'
import { rate } from '../ui/format.ts'
import { Icon } from '../ui/icon.tsx'
import { KindIcon } from '../ui/kind.tsx'
import { Pane } from '../ui/pane.tsx'
import { StatusLabel } from '../ui/status.tsx'

interface PartPaneProps {
  part: TopologyNode
  topology: Topology
  onClose: () => void
}

/** One part: its facts, its neighbours, and where to look further. */
export function PartPane({ part, topology, onClose }: PartPaneProps) {
  const commands = firstSteps({ nodes: [part], edges: [] })
  return (
    <Pane
      label={`${part.kind} ${part.name}`}
      name="map"
      onClose={onClose}
      header={
        <div className="flex flex-col gap-2">
          <div className="flex min-h-7 items-center gap-2">
            <KindIcon kind={part.kind} />
            <h2 className="truncate text-lg font-semibold">{part.name}</h2>
            <CopyButton text={part.name} what="name" />
          </div>
          <div className="flex flex-wrap items-center gap-3">
            <StatusLabel status={part.status} />
            <span className="text-ink-2">{rate(part.rate)} a second</span>
            <Further part={part} />
          </div>
        </div>
      }
    >
      <section className="border-b border-line px-4 py-3">
        <h2 className="label-caps mb-1.5">Facts</h2>
        <dl className="grid grid-cols-[auto_1fr] gap-x-5 gap-y-1">
          <dt className="text-ink-3">kind</dt>
          <dd>{part.kind}</dd>
          {Object.entries(part.facts).map(([name, value]) => (
            <div key={name} className="contents">
              <dt className="text-ink-3">{name}</dt>
              <dd className="break-words">{value}</dd>
            </div>
          ))}
        </dl>
      </section>
      <Neighbours
        title="Fed by"
        edges={topology.edges.filter((e) => e.to === part.id)}
        end="from"
        topology={topology}
      />
      <Neighbours title="Feeds" edges={topology.edges.filter((e) => e.from === part.id)} end="to" topology={topology} />
      {commands.length > 0 && (
        <section className="flex flex-col gap-2 px-4 py-3">
          <h2 className="label-caps">Try it</h2>
          {commands.map((command) => (
            <Command key={command} text={command} />
          ))}
        </section>
      )}
    </Pane>
  )
}

function Further({ part }: { part: TopologyNode }) {
  if (part.kind === 'route') return null
  if (part.kind === 'table' || part.kind === 'event') {
    const type = part.kind === 'table' ? `change:${part.name}` : part.name
    return (
      <Link to="/events" search={{ type }} className={buttonClass}>
        <Icon name="events" size={14} /> Events
      </Link>
    )
  }
  return (
    <Link to="/consumers" search={{ sel: part.id }} className={buttonClass}>
      <Icon name="consumers" size={14} /> Lag and slots
    </Link>
  )
}

interface NeighboursProps {
  title: string
  edges: readonly TopologyEdge[]
  end: 'from' | 'to'
  topology: Topology
}

function Neighbours({ title, edges, end, topology }: NeighboursProps) {
  if (edges.length === 0) return null
  return (
    <section className="border-b border-line px-4 py-3">
      <h2 className="label-caps mb-1">{title}</h2>
      <ul>
        {edges.map((edge) => {
          const node = topology.nodes.find(({ id }) => id === edge[end])
          if (node === undefined) return null
          return (
            <li key={node.id} className="relative flex min-h-7 items-center gap-2.5 rounded hover:bg-hover">
              <KindIcon kind={node.kind} size={14} />
              <Link
                from="/map"
                search={{ sel: node.id }}
                replace={true}
                className="row-link flex-1 truncate font-medium"
              >
                {node.name}
              </Link>
              <span className="text-sm text-ink-3">{edge.async ? 'through the log' : 'direct'}</span>
              <span className="w-16 text-right text-ink-2">{rate(edge.rate)}/s</span>
            </li>
          )
        })}
      </ul>
    </section>
  )
}
