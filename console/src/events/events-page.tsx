import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { overviewQuery, topologyQuery } from '../api/queries.ts'
import type { EventSummary, Topology } from '../contract.ts'
import { useShortcut } from '../shell/shortcuts.ts'
import { Button } from '../ui/button.tsx'
import { CopyButton } from '../ui/copy.tsx'
import { plural, rate } from '../ui/format.ts'
import { PageHead } from '../ui/page-head.tsx'
import { Empty, Problem } from '../ui/states.tsx'
import { EventList, focusRow } from './event-list.tsx'
import { EventPane } from './event-pane.tsx'
import { formatFilter, parseFilter } from './filter.ts'
import { FilterBox, type Suggestion } from './filter-box.tsx'
import { firstSteps, tailCommand } from './first-steps.ts'
import { eventCount } from './tail.ts'
import { TypeChips } from './type-chips.tsx'
import { useTail } from './use-tail.ts'

const EmitDialog = lazy(() => import('./emit-dialog.tsx').then((m) => ({ default: m.EmitDialog })))
const route = getRouteApi('/events')

export function EventsPage() {
  const { type, key, text } = route.useSearch()
  // A new filter is a new list, with nothing of the old one.
  return <FilteredEvents key={JSON.stringify([type, key, text])} />
}

function FilteredEvents() {
  const search = route.useSearch()
  const { sel, ...filter } = search
  const navigate = useNavigate({ from: '/events' })
  const [paused, setPaused] = useState(false)
  const [publishing, setPublishing] = useState(false)
  const [atTop, setAtTop] = useState(true)
  const [reading, setReading] = useState(false)
  const live = useTail(filter, !paused && atTop && !reading && sel === undefined)
  const { data: topology } = useQuery(topologyQuery)
  const types = typesOf(topology)

  const select = (position: number | undefined, replace: boolean): void =>
    void navigate({ search: { ...search, sel: position }, replace })
  const close = (): void => {
    select(undefined, true)
    if (sel !== undefined) focusRow(sel)
  }
  useShortcut('\\', () => setPaused((old) => !old))
  useShortcut('Escape', () => {
    if (sel !== undefined) return close()
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
    setReading(false)
  })

  return (
    <div className="relative flex min-h-0 flex-1">
      <div className="flex min-w-0 flex-1 flex-col">
        <PageHead
          title="Events"
          sentence={
            <Sentence paused={paused} held={eventCount(live.tail.held)} filtered={formatFilter(filter) !== ''} />
          }
          actions={
            <>
              <Button icon="event" onClick={() => setPublishing(true)}>
                Publish…
              </Button>
              <Button
                icon={paused ? 'play' : 'pause'}
                aria-pressed={paused}
                onClick={() => setPaused(!paused)}
                title="\"
              >
                {paused ? 'Resume' : 'Pause'}
              </Button>
            </>
          }
        />
        <div className="flex flex-wrap items-center gap-2 border-b border-line px-4 pb-2.5">
          <FilterBox
            value={formatFilter(filter)}
            suggestions={types}
            onChange={(line) => void navigate({ search: { ...parseFilter(line), sel } })}
          />
          <TypeChips types={types} search={search} />
          <CopyButton label="millrace tail" what="a millrace command" text={() => tailCommand(formatFilter(filter))} />
        </div>
        {live.error && live.tail.rows.length === 0 ? (
          <Problem error={live.error} retry={live.retry} />
        ) : (
          <EventList
            live={live}
            selected={sel}
            onTop={setAtTop}
            onReading={setReading}
            onMove={(event) => select(event.position, true)}
            renderLink={(event, props) => (
              <Link {...props} from="/events" search={{ ...search, sel: event.position }} replace={sel !== undefined} />
            )}
            empty={<NoEvents filtered={formatFilter(filter) !== ''} topology={topology} />}
          />
        )}
      </div>
      <Suspense>{publishing && <EmitDialog onClose={() => setPublishing(false)} />}</Suspense>
      {sel !== undefined && (
        <EventPane position={sel} onClose={close} onMove={(step) => moveBy(live.tail.rows, sel, step, select)} />
      )}
    </div>
  )
}

function Sentence({ paused, held, filtered }: { paused: boolean; held: number; filtered: boolean }) {
  const { data: overview } = useQuery(overviewQuery)
  if (paused)
    return `Paused. ${held === 0 ? 'Nothing new waits.' : `${plural(held, 'new event waits', 'new events wait')}.`}`
  if (overview === undefined) return null
  const { head, rates } = overview
  const last = rates.at(-1)
  const perSecond = last === undefined ? 0 : last.published + last.changes
  return `${plural(head, 'event')} in the log, ${rate(perSecond)} a second${filtered ? '; shown are those that match' : ''}.`
}

function NoEvents({ filtered, topology }: { filtered: boolean; topology: Topology | undefined }) {
  if (filtered)
    return <Empty title="No event matches.">Make the filter wider, or wait: a match shows up by itself.</Empty>
  return (
    <Empty title="Nothing has happened yet." commands={firstSteps(topology)}>
      Every published event and every change of a table that the app declares stands here, as it happens.
    </Empty>
  )
}

/** The types that the app can put into the log. */
function typesOf(topology: Topology | undefined): Suggestion[] {
  return (topology?.nodes ?? []).flatMap(({ kind, name }): Suggestion[] => {
    if (kind === 'table') return [{ type: `change:${name}`, kind: 'change' }]
    return kind === 'event' ? [{ type: name, kind }] : []
  })
}

function moveBy(
  rows: readonly { kind: string; event?: EventSummary }[],
  from: number,
  step: number,
  select: (position: number, replace: boolean) => void,
): void {
  const positions = rows.flatMap((row) => (row.event ? [row.event.position] : []))
  const next = positions[positions.indexOf(from) + step]
  if (next !== undefined) select(next, true)
}
