import {
  type Edge,
  Handle,
  MarkerType,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
  useReactFlow,
} from '@xyflow/react'
import '@xyflow/react/dist/base.css'
import { useEffect, useMemo, useState } from 'react'
import type { Topology, TopologyEdge, TopologyNode } from '../contract.ts'
import { rate } from '../ui/format.ts'
import { KindIcon } from '../ui/kind.tsx'
import { StatusIcon, statusColor } from '../ui/status.tsx'
import { place, related } from './layout.ts'
import { nodeHeight, tight, wide } from './spacing.ts'
import { useWidth } from './use-width.ts'

interface GraphProps {
  topology: Topology
  selected: string | undefined
  onSelect: (id: string | undefined) => void
}
interface PartData extends Record<string, unknown> {
  part: TopologyNode
  dim: boolean
  selected: boolean
  onSelect: (id: string | undefined) => void
  onPoint: (id: string | undefined) => void
}
type PartNode = Node<PartData, 'part'>

const nodeTypes = { part: Part }
const fit = { padding: '20px', maxZoom: 1.15, duration: 0 } as const
const marginPx = 40
const lowestPx = 260

/** The app as a picture. What one points at keeps its light, with everything that feeds it and that it feeds. */
export function Graph({ topology, selected, onSelect }: GraphProps) {
  const [pointed, setPointed] = useState<string>()
  const shape = shapeOf(topology)
  const [box, boxWidth] = useWidth()
  const spacing = boxWidth < 1_000 ? tight : wide
  // biome-ignore lint/correctness/useExhaustiveDependencies: the places follow from the shape, not from the rates
  const { places, width, height } = useMemo(() => place(topology, spacing), [shape, spacing])
  const lit = pointed === undefined ? undefined : related(pointed, topology)

  const nodes = topology.nodes
    .map(
      (part): PartNode => ({
        id: part.id,
        type: 'part',
        position: places.get(part.id) ?? { x: 0, y: 0 },
        width: spacing.nodeWidth,
        height: nodeHeight,
        data: {
          part,
          dim: lit !== undefined && !lit.has(part.id),
          selected: part.id === selected,
          onSelect,
          onPoint: setPointed,
        },
      }),
    )
    // The order of the Tab key: left to right, then down.
    .sort((a, b) => a.position.x - b.position.x || a.position.y - b.position.y)

  const zoom = Math.min(fit.maxZoom, (boxWidth - marginPx) / width)
  return (
    <div ref={box} className="max-h-[64vh]" style={{ height: Math.max(lowestPx, height * zoom + 2 * marginPx) }}>
      <ReactFlow
        nodes={nodes}
        edges={topology.edges.map((edge) => edgeOf(edge, lit))}
        nodeTypes={nodeTypes}
        fitView={true}
        fitViewOptions={fit}
        minZoom={0.2}
        maxZoom={2}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        zoomOnScroll={false}
        preventScrolling={false}
        proOptions={{ hideAttribution: true }}
      >
        <FitAgain shape={`${spacing.gap} ${shape}`} />
      </ReactFlow>
    </div>
  )
}

/** Shows the whole map again when the window or the app changes. */
function FitAgain({ shape }: { shape: string }) {
  const { fitView } = useReactFlow()
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new shape is a new picture
  useEffect(() => {
    const element = document.querySelector('.react-flow')
    if (element === null) return
    const observer = new ResizeObserver(() => void fitView(fit))
    observer.observe(element)
    return () => observer.disconnect()
  }, [fitView, shape])
  return null
}

function Part({ data: { part, dim, selected, onSelect, onPoint } }: NodeProps<PartNode>) {
  const well = part.status === 'ok' || part.status === 'running' || part.status === 'waiting'
  return (
    <>
      <Handle type="target" position={Position.Left} className="opacity-0" />
      <button
        type="button"
        aria-pressed={selected}
        onClick={() => onSelect(selected ? undefined : part.id)}
        onPointerEnter={() => onPoint(part.id)}
        onPointerLeave={() => onPoint(undefined)}
        onFocus={(event) => event.currentTarget.matches(':focus-visible') && onPoint(part.id)}
        onBlur={() => onPoint(undefined)}
        style={{ height: nodeHeight, opacity: dim ? 0.3 : 1 }}
        className="nopan flex w-full items-center gap-2.5 rounded-lg border border-line-strong bg-surface pr-3 pl-2.5 text-left shadow-xs transition-opacity hover:border-edge aria-pressed:border-accent aria-pressed:ring-2 aria-pressed:ring-accent"
      >
        <span
          className="flex size-8 shrink-0 items-center justify-center rounded-full border-2 bg-sunken"
          style={{ borderColor: statusColor(part.status) }}
        >
          <KindIcon kind={part.kind} size={16} />
        </span>
        <span className="flex min-w-0 flex-1 flex-col leading-tight">
          <span className="truncate font-medium">{part.name}</span>
          <span className="flex items-baseline gap-1 text-sm text-ink-3">
            {part.kind}
            <span className="flex-1" />
            <span className="text-ink-2">{rate(part.rate)}/s</span>
            <span className="sr-only"> {part.status}</span>
          </span>
        </span>
        {!well && (
          <span className="absolute -top-2 -right-2 rounded-full bg-surface p-0.5">
            <StatusIcon status={part.status} size={18} />
          </span>
        )}
      </button>
      <Handle type="source" position={Position.Right} className="opacity-0" />
    </>
  )
}

function edgeOf(edge: TopologyEdge, lit: ReadonlySet<string> | undefined): Edge {
  const on = lit?.has(edge.from) && lit.has(edge.to)
  const flows = edge.async && edge.rate > 0
  return {
    id: `${edge.from}>${edge.to}`,
    source: edge.from,
    target: edge.to,
    className: flows ? 'flowing' : '',
    markerEnd: {
      type: MarkerType.ArrowClosed,
      color: on ? 'var(--accent)' : 'var(--edge)',
      markerUnits: 'userSpaceOnUse',
      width: 16,
      height: 16,
    },
    style: {
      stroke: on ? 'var(--accent)' : 'var(--edge)',
      strokeWidth: 1.2 + Math.min(3, Math.log2(1 + edge.rate) * 0.55),
      strokeDasharray: edge.async ? '6 5' : undefined,
      opacity: lit === undefined || on ? 1 : 0.18,
    },
  }
}

function shapeOf({ nodes, edges }: Topology): string {
  return [...nodes.map((node) => node.id), ...edges.map((edge) => `${edge.from}>${edge.to}`)].sort().join('\n')
}
