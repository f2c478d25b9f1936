import { useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { topologyQuery } from '../api/queries.ts'
import type { Topology } from '../contract.ts'
import { useShortcut } from '../shell/shortcuts.ts'
import { plural } from '../ui/format.ts'
import { PageHead } from '../ui/page-head.tsx'
import { Empty, Problem, Skeleton } from '../ui/states.tsx'
import { Graph } from './graph.tsx'
import { PartPane } from './part-pane.tsx'
import { PartTable } from './part-table.tsx'
import { useLiveTopology } from './use-rates.ts'

const route = getRouteApi('/map')

/** The app, drawn from its declarations, with what flows this second. */
export function MapPage() {
  const { data: topology, error, refetch } = useQuery(topologyQuery)
  if (error) return <Problem error={error} retry={() => void refetch()} />
  return (
    <div className="relative flex min-h-0 flex-1">
      {topology === undefined ? (
        <div className="flex-1">
          <PageHead title="Map" />
          <Skeleton />
        </div>
      ) : (
        <LiveMap declared={topology} />
      )}
    </div>
  )
}

function LiveMap({ declared }: { declared: Topology }) {
  const topology = useLiveTopology(declared)
  const { sel } = route.useSearch()
  const navigate = useNavigate({ from: '/map' })
  const select = (id: string | undefined): void => void navigate({ search: { sel: id }, replace: true })
  const chosen = topology.nodes.find((node) => node.id === sel)
  const close = (): void => {
    select(undefined)
    document.querySelector<HTMLElement>(`[data-id="${CSS.escape(sel ?? '')}"] button`)?.focus()
  }
  useShortcut('Escape', close, sel !== undefined)

  return (
    <>
      <div className="flex min-w-0 flex-1 flex-col overflow-y-auto">
        <PageHead title="Map" sentence={sentence(topology)} />
        {topology.nodes.length === 0 ? (
          <Empty title="The app declares nothing yet.">
            Pass a table, an event or a route to <code>app(…)</code>; it is drawn here as soon as the file is saved.
          </Empty>
        ) : (
          <>
            <section aria-label="Drawing" className="shrink-0 border-y border-line bg-sunken">
              <Graph topology={topology} selected={sel} onSelect={select} />
            </section>
            <Legend />
            <PartTable topology={topology} selected={sel} />
          </>
        )}
      </div>
      {chosen && <PartPane part={chosen} topology={topology} onClose={close} />}
    </>
  )
}

function Legend() {
  return (
    <p className="flex flex-wrap items-center gap-x-5 gap-y-1 border-b border-line bg-surface px-4 py-1.5 text-sm text-ink-3">
      <span className="flex items-center gap-2">
        <Stroke dash="6 5" /> through the log
      </span>
      <span className="flex items-center gap-2">
        <Stroke /> direct
      </span>
      <span>the wider, the more a second</span>
      <span className="flex-1" />
      <span>Drawn with React Flow</span>
    </p>
  )
}

function Stroke({ dash }: { dash?: string }) {
  return (
    <svg aria-hidden="true" width="28" height="6">
      <path d="M0 3h28" stroke="var(--edge)" strokeWidth="2" strokeDasharray={dash} />
    </svg>
  )
}

function sentence({ nodes }: Topology): string {
  const troubled = nodes.filter(({ status }) => status === 'failed' || status === 'retrying')
  const names = troubled.map((node) => `${node.name} is ${node.status}`)
  return [plural(nodes.length, 'part'), ...(names.length > 0 ? names : ['all well'])].join(', ').concat('.')
}
