import { useVirtualizer } from '@tanstack/react-virtual'
import { type FocusEvent, type ReactNode, useEffect, useEffectEvent, useRef, useState } from 'react'
import type { EventSummary } from '../contract.ts'
import { useShortcut } from '../shell/shortcuts.ts'
import { Button } from '../ui/button.tsx'
import { copy } from '../ui/copy.tsx'
import { count } from '../ui/format.ts'
import { Icon } from '../ui/icon.tsx'
import { Skeleton } from '../ui/states.tsx'
import { columns, EventRow, GapRow, rowHeight } from './event-row.tsx'
import { eventCount, type TailRow } from './tail.ts'
import type { LiveTail } from './use-tail.ts'

interface EventListProps {
  live: LiveTail
  /** Which row is chosen, where the list has a choice. */
  selected: number | undefined
  /** The link of a row: its address and, for a plain click, what to do instead of going there. */
  renderLink: (event: EventSummary, props: RowLinkProps) => ReactNode
  /** Called by `j` and `k` while a row is chosen. */
  onMove?: (event: EventSummary) => void
  onTop: (atTop: boolean) => void
  onReading: (reading: boolean) => void
  empty: ReactNode
}
export interface RowLinkProps {
  className: string
  tabIndex: number
  children: ReactNode
  'aria-current': boolean
  'data-position': number
}

/** A table of events of any length: only what is in view is drawn. */
export function EventList(props: EventListProps) {
  const { live, selected, renderLink, onTop, onReading, empty } = props
  const { rows, held } = live.tail
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => keyOf(rows[index]),
    initialOffset: live.initialScrollTop,
    overscan: 12,
  })
  const items = virtual.getVirtualItems()
  const { active, setActive } = useRowKeys(rows, props, (index) => virtual.scrollToIndex(index))
  const [freshFrom] = useState(() => ({ position: Number.POSITIVE_INFINITY }))
  useFreshness(rows, freshFrom)

  const tabbable = tabStop(rows, items, selected ?? active)

  const lastIndex = items.at(-1)?.index ?? 0
  const onEnd = useEffectEvent(live.loadOlder)
  const nearEnd = lastIndex >= rows.length - 10
  useEffect(() => {
    if (nearEnd && rows.length > 0) onEnd()
  }, [nearEnd, rows.length])

  const onScroll = (): void => {
    const top = scroller.current?.scrollTop ?? 0
    onTop(top < 4)
    live.remember(top)
  }
  const onFocus = (event: FocusEvent): void => {
    const position = event.target.getAttribute('data-position')
    if (position === null || !event.target.matches(':focus-visible')) return
    setActive(Number(position))
    onReading(true)
  }
  const showNew = (): void => {
    live.release()
    scroller.current?.scrollTo({ top: 0 })
  }
  const waiting = eventCount(held)
  return (
    <div className="relative flex min-h-0 min-w-0 flex-1 flex-col">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: it only listens to what its rows do */}
      <div
        ref={scroller}
        onScroll={onScroll}
        onFocus={onFocus}
        onBlur={(event) => {
          if (!event.currentTarget.contains(event.relatedTarget)) onReading(false)
        }}
        className="min-h-0 flex-1 overflow-y-auto [overflow-anchor:none]"
      >
        <table
          aria-label="Events"
          aria-rowcount={live.tail.next === undefined ? rows.length + 1 : -1}
          className="w-full table-fixed text-left"
        >
          <Header />
          <tbody>
            <Space height={items[0]?.start ?? 0} />
            {items.map(({ index, key }) => {
              const row = rows[index]
              if (row === undefined) return null
              if (row.kind === 'gap') {
                return <GapRow key={key} index={index} gap={row.gap} onFill={() => live.fillGap(row.gap)} />
              }
              const { position } = row.event
              return (
                <EventRow
                  key={key}
                  event={row.event}
                  index={index}
                  selected={position === selected}
                  fresh={position > freshFrom.position}
                  renderLink={renderLink}
                  tabIndex={position === tabbable ? 0 : -1}
                />
              )
            })}
            <Space height={virtual.getTotalSize() - (items.at(-1)?.end ?? 0)} />
          </tbody>
        </table>
        {live.loading ? <Skeleton rows={14} height={20} /> : rows.length === 0 && empty}
        {!live.loading && live.tail.next !== undefined && (
          <p className="flex justify-center py-2">
            <Button onClick={live.loadOlder} disabled={live.loadingOlder}>
              {live.loadingOlder ? 'Looking…' : `Look further back, below ${count(live.tail.next)}`}
            </Button>
          </p>
        )}
      </div>
      {waiting > 0 && (
        <button
          type="button"
          onClick={showNew}
          className="absolute top-0.5 right-4 z-10 flex min-h-6 items-center gap-1.5 rounded-full bg-accent px-3 text-sm font-medium text-on-accent"
        >
          <Icon name="up" size={13} />
          {count(waiting)} new
        </button>
      )}
    </div>
  )
}

/** Stands for the rows that are not drawn. */
function Space({ height }: { height: number }) {
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: an empty row cannot take the focus
    <tr aria-hidden="true" style={{ height }}>
      <td colSpan={columns.length} />
    </tr>
  )
}

function Header() {
  return (
    <thead className="sticky top-0 z-2 bg-bg shadow-[0_1px_0_var(--line)]">
      <tr aria-rowindex={1} className="h-7">
        {columns.map(({ title, className }) => (
          <th key={title} scope="col" className={`label-caps ${className}`}>
            {title}
          </th>
        ))}
      </tr>
    </thead>
  )
}

/** One row is in the Tab order: the current one while it is drawn, else the first in view. */
function tabStop(
  rows: readonly TailRow[],
  items: readonly { index: number }[],
  current: number | undefined,
): number | undefined {
  const drawn = items.flatMap(({ index }) => {
    const row = rows[index]
    return row?.kind === 'event' ? [row.event.position] : []
  })
  return current !== undefined && drawn.includes(current) ? current : drawn[0]
}

/** `j` and `k` walk the rows, `y` copies the position. */
function useRowKeys(
  rows: readonly TailRow[],
  { selected, onMove, onReading }: EventListProps,
  scrollTo: (index: number) => void,
): { active: number | undefined; setActive: (position: number | undefined) => void } {
  const [active, setActive] = useState<number>()
  const current = selected ?? active
  const move = (step: number): void => {
    const from = rows.findIndex((row) => row.kind === 'event' && row.event.position === current)
    let index = from === -1 ? 0 : from + step
    while (rows[index]?.kind === 'gap') index += step
    const row = rows[index]
    if (row?.kind !== 'event') return
    scrollTo(index)
    setActive(row.event.position)
    onReading(true)
    if (selected !== undefined) onMove?.(row.event)
    // The row may only be drawn after the scroll.
    requestAnimationFrame(() => requestAnimationFrame(() => focusRow(row.event.position)))
  }
  useShortcut('j', () => move(1))
  useShortcut('k', () => move(-1))
  useShortcut('y', () => {
    if (current !== undefined) void copy(String(current), 'position')
  })
  return { active, setActive }
}

/** Gives the focus to a row, when it is in view. */
export function focusRow(position: number): void {
  document.querySelector<HTMLElement>(`[data-position="${position}"]`)?.focus({ preventScroll: true })
}

/** Rows that came after the last drawing light up once. */
function useFreshness(rows: readonly TailRow[], freshFrom: { position: number }): void {
  useEffect(() => {
    const row = rows[0]
    if (row?.kind === 'event') freshFrom.position = row.event.position
  }, [rows, freshFrom])
}

function keyOf(row: TailRow | undefined): string | number {
  if (row === undefined) return ''
  return row.kind === 'event' ? row.event.position : `gap ${row.gap.before}`
}
