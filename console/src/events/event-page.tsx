import { useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { eventQuery } from '../api/queries.ts'
import { PageTitle } from '../shell/page-title.tsx'
import { useShortcut } from '../shell/shortcuts.ts'
import { copy } from '../ui/copy.tsx'
import { count } from '../ui/format.ts'
import { KindIcon } from '../ui/kind.tsx'
import { Problem, Skeleton } from '../ui/states.tsx'
import { DataSections, DeliverySections, EventHeading } from './event-detail.tsx'

const route = getRouteApi('/e/$position')

/** One event on a page of its own: an address to keep in tickets and logs. */
export function EventPage() {
  const position = Number(route.useParams().position)
  const navigate = useNavigate()
  const { data: event, error, refetch } = useQuery(eventQuery(position))
  const go = (to: number): void => {
    if (to > 0) void navigate({ to: '/e/$position', params: { position: String(to) }, replace: true })
  }
  useShortcut('[', () => go(position + 1))
  useShortcut(']', () => go(position - 1))
  useShortcut('y', () => void copy(String(position), 'position'))
  useShortcut('Escape', () => void navigate({ to: '/events', search: { sel: position } }))

  return (
    <div className="min-h-0 flex-1 overflow-y-auto">
      <div className="mx-auto flex max-w-[88rem] flex-col gap-2 px-4 pt-4 pb-4 lg:px-6">
        <p className="label-caps">Event {count(position)}</p>
        <PageTitle
          title={`Event ${position}`}
          className="flex items-center gap-2.5 text-xl font-semibold tracking-tight"
        >
          {event && <KindIcon kind={event.kind} size={20} />}
          {event?.type ?? `Event ${count(position)}`}
        </PageTitle>
        {event && <EventHeading event={event} level="page" />}
      </div>
      {error && <Problem error={error} retry={() => void refetch()} />}
      {!error && event === undefined && <Skeleton />}
      {event && (
        <div className="mx-auto grid max-w-[88rem] items-start gap-5 px-4 pb-8 lg:grid-cols-2 lg:px-6">
          <div className="rounded-lg border border-line bg-surface *:last:border-0">
            <DataSections event={event} />
          </div>
          <div className="rounded-lg border border-line bg-surface *:last:border-0">
            <DeliverySections event={event} />
          </div>
        </div>
      )}
    </div>
  )
}
