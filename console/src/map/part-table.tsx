import { Link } from '@tanstack/react-router'
import type { Topology } from '../contract.ts'
import { rate } from '../ui/format.ts'
import { KindIcon } from '../ui/kind.tsx'
import { StatusLabel } from '../ui/status.tsx'

/** The map in rows: the same facts for those who read better than they look, and to search in. */
export function PartTable({ topology, selected }: { topology: Topology; selected: string | undefined }) {
  const names = new Map(topology.nodes.map((node) => [node.id, node.name]))
  const list = (ids: string[]): string => ids.map((id) => names.get(id) ?? id).join(', ') || '–'
  return (
    <table className="w-full bg-surface text-left">
      <caption className="sr-only">The parts of the map</caption>
      <thead>
        <tr className="label-caps h-8 border-b border-line">
          <th scope="col" className="pl-4">
            Name
          </th>
          <th scope="col" className="px-3">
            Status
          </th>
          <th scope="col" className="px-3 text-right">
            Per second
          </th>
          <th scope="col" className="px-3">
            Fed by
          </th>
          <th scope="col" className="pr-4 pl-3">
            Feeds
          </th>
        </tr>
      </thead>
      <tbody>
        {topology.nodes.map((node) => (
          <tr
            key={node.id}
            data-selected={node.id === selected}
            className="relative h-8 border-b border-line hover:bg-hover data-[selected=true]:bg-selected"
          >
            <th scope="row" className="pl-4 font-normal">
              <Link
                from="/map"
                search={{ sel: node.id === selected ? undefined : node.id }}
                replace={true}
                resetScroll={false}
                aria-current={node.id === selected}
                className="row-link flex items-center gap-2.5 whitespace-nowrap"
              >
                <KindIcon kind={node.kind} size={14} />
                <span className="font-medium">{node.name}</span>
                <span className="text-sm text-ink-3">{node.kind}</span>
              </Link>
            </th>
            <td className="px-3">
              <StatusLabel status={node.status} />
            </td>
            <td className="px-3 text-right">{rate(node.rate)}</td>
            <td className="px-3 text-ink-2">
              {list(topology.edges.filter((e) => e.to === node.id).map((e) => e.from))}
            </td>
            <td className="pr-4 pl-3 text-ink-2">
              {list(topology.edges.filter((e) => e.from === node.id).map((e) => e.to))}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
