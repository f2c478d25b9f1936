import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { topologyQuery } from '../api/queries.ts'
import { EventList } from '../events/event-list.tsx'
import { firstSteps } from '../events/first-steps.ts'
import { useTail } from '../events/use-tail.ts'
import { useShortcut } from '../shell/shortcuts.ts'
import { Button } from '../ui/button.tsx'
import { PageHead } from '../ui/page-head.tsx'
import { Empty, Problem } from '../ui/states.tsx'

const route = getRouteApi('/journey')

/** Pick a change to see the way it took. */
export function JourneysPage() {
  const { show } = route.useSearch()
  return <Recent key={show ?? 'changes'} filter={show === 'all' ? {} : { type: 'change:*' }} />
}

function Recent({ filter }: { filter: { type?: string } }) {
  const [paused, setPaused] = useState(false)
  const [atTop, setAtTop] = useState(true)
  const [reading, setReading] = useState(false)
  const live = useTail(filter, !paused && atTop && !reading)
  const { data: topology } = useQuery(topologyQuery)
  useShortcut('\\', () => setPaused((old) => !old))
  useShortcut('Escape', () => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
    setReading(false)
  })

  return (
    <div className="flex min-h-0 min-w-0 flex-1 flex-col">
      <PageHead
        title="Journey"
        sentence="Pick a change to see its way, from the commit of the row to everything that follows it."
        actions={
          <>
            <Show all={false} text="Changes" />
            <Show all={true} text="Everything" />
            <Button icon={paused ? 'play' : 'pause'} aria-pressed={paused} onClick={() => setPaused(!paused)} title="\">
              {paused ? 'Resume' : 'Pause'}
            </Button>
          </>
        }
      />
      {live.error && live.tail.rows.length === 0 ? (
        <Problem error={live.error} retry={live.retry} />
      ) : (
        <EventList
          live={live}
          selected={undefined}
          onTop={setAtTop}
          onReading={setReading}
          renderLink={(event, props) => (
            <Link {...props} to="/j/$position" params={{ position: String(event.position) }} preload={false} />
          )}
          empty={
            <Empty title="No change has been captured yet." commands={firstSteps(topology)}>
              Change a row of a declared table, with any tool. Its journey stands here a few milliseconds later.
            </Empty>
          }
        />
      )}
    </div>
  )
}

function Show({ all, text }: { all: boolean; text: string }) {
  const chosen = (route.useSearch().show === 'all') === all
  return (
    <Link
      to="/journey"
      search={{ show: all ? 'all' : undefined }}
      aria-current={chosen}
      data-chosen={chosen}
      activeOptions={{ exact: true }}
      className="inline-flex min-h-7 items-center rounded-full border border-line px-2.5 text-sm text-ink-2 hover:bg-hover data-[chosen=true]:border-accent data-[chosen=true]:bg-accent-soft data-[chosen=true]:text-ink"
    >
      {text}
    </Link>
  )
}
