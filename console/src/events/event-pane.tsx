import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { eventQuery } from '../api/queries.ts'
import { useShortcut } from '../shell/shortcuts.ts'
import { count } from '../ui/format.ts'
import { Pane } from '../ui/pane.tsx'
import { Problem, Skeleton } from '../ui/states.tsx'
import { DataSections, DeliverySections, EventHeading } from './event-detail.tsx'

interface EventPaneProps {
  position: number
  onClose: () => void
  onMove: (step: number) => void
}

/** The chosen event, beside the list. */
export function EventPane({ position, onClose, onMove }: EventPaneProps) {
  const { data: event, error, refetch } = useQuery(eventQuery(position))
  const navigate = useNavigate()
  useShortcut('o', () => void navigate({ to: '/e/$position', params: { position: String(position) } }))
  useShortcut('[', () => onMove(-1))
  useShortcut(']', () => onMove(1))

  return (
    <Pane
      label={`Event ${count(position)}`}
      name="events"
      onClose={onClose}
      header={event ? <EventHeading event={event} level="pane" /> : <p className="mono text-ink-3">{position}</p>}
    >
      {error && <Problem error={error} retry={() => void refetch()} />}
      {!error && event === undefined && <Skeleton />}
      {event && (
        <>
          <DeliverySections event={event} />
          <DataSections event={event} />
        </>
      )}
    </Pane>
  )
}
