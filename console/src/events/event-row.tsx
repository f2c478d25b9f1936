import { type ReactNode, useState } from 'react'
import type { EventSummary } from '../contract.ts'
import { plural } from '../ui/format.ts'
import { KindIcon } from '../ui/kind.tsx'
import { Clock } from '../ui/time.tsx'
import type { RowLinkProps } from './event-list.tsx'
import { Preview } from './preview.tsx'
import type { Gap } from './tail.ts'

export const rowHeight = 28
/** The columns of the header and of every row. */
export const columns = [
  { title: 'Position', className: 'w-22 pl-4 pr-3 text-right' },
  { title: 'Time', className: 'w-26 px-1' },
  { title: 'Type', className: 'w-44 px-2' },
  { title: 'Key', className: 'w-26 px-2' },
  { title: 'Data', className: 'pl-2 pr-4' },
] as const

interface EventRowProps {
  event: EventSummary
  index: number
  selected: boolean
  fresh: boolean
  tabIndex: number
  renderLink: (event: EventSummary, props: RowLinkProps) => ReactNode
}

export function EventRow({ event, index, selected, fresh, tabIndex, renderLink }: EventRowProps) {
  // Fixed when drawn first: the next frame must not cut the glow short.
  const [arrived] = useState(fresh)
  return (
    <tr
      aria-rowindex={index + 2}
      data-selected={selected}
      style={{ height: rowHeight }}
      className={`relative hover:bg-hover data-[selected=true]:bg-selected ${arrived ? 'arrive' : ''}`}
    >
      <th scope="row" className={`font-normal ${columns[0].className}`}>
        {renderLink(event, {
          className: 'row-link mono text-ink-3',
          tabIndex,
          'aria-current': selected,
          'data-position': event.position,
          children: (
            <>
              {event.position}
              <span className="sr-only"> {event.type}</span>
            </>
          ),
        })}
      </th>
      <td className={columns[1].className}>
        <Clock at={event.at} className="mono text-ink-3" />
      </td>
      <td className={columns[2].className}>
        <span className="flex min-w-0 items-center gap-2">
          <KindIcon kind={event.kind} size={14} />
          <span className="truncate font-medium">{event.type}</span>
        </span>
      </td>
      <td title={event.key ?? undefined} className={`mono truncate text-ink-2 ${columns[3].className}`}>
        {event.key ?? '–'}
      </td>
      <td className={columns[4].className}>
        <span className="flex min-w-0">
          <Preview text={event.preview} />
        </span>
      </td>
    </tr>
  )
}

interface GapRowProps {
  gap: Gap
  index: number
  onFill: () => void
}

export function GapRow({ gap, index, onFill }: GapRowProps) {
  const missing = gap.before - gap.after - 1
  return (
    <tr aria-rowindex={index + 2} style={{ height: rowHeight }}>
      <td colSpan={columns.length} className="px-4">
        <span className="flex items-center gap-3 text-sm">
          <span className="h-px flex-1 border-t border-dashed border-line-strong" />
          <button type="button" onClick={onFill} className="min-h-6 rounded px-2 text-accent hover:bg-hover">
            Up to {plural(missing, 'event')} left out to keep up: load them
          </button>
          <span className="h-px flex-1 border-t border-dashed border-line-strong" />
        </span>
      </td>
    </tr>
  )
}
