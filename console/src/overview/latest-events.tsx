import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { read } from '../api/call.ts'
import { useTopic } from '../api/use-live.ts'
import type { EventPage } from '../contract.ts'
import { Preview } from '../events/preview.tsx'
import { KindIcon } from '../ui/kind.tsx'
import { Time } from '../ui/time.tsx'

const shown = 12
const queryKey = ['latest']

/** The top of the log, as it grows. */
export function LatestEvents() {
  const client = useQueryClient()
  const { data } = useQuery({ queryKey, queryFn: ({ signal }) => read('events', { limit: shown }, signal) })
  useTopic('events', ({ events, head }) => {
    client.setQueryData<EventPage>(queryKey, (old) => {
      const newest = old?.events[0]?.position ?? 0
      const fresh = events.filter((event) => event.position > newest).reverse()
      return { head, events: [...fresh, ...(old?.events ?? [])].slice(0, shown) }
    })
  })
  return (
    <section aria-labelledby="latest" className="rounded-lg border border-line bg-surface">
      <div className="flex items-center border-b border-line px-4 py-1.5">
        <h2 id="latest" className="label-caps flex-1">
          Latest in the log
        </h2>
        <Link to="/events" className="flex min-h-6 items-center text-accent hover:underline">
          All events
        </Link>
      </div>
      <table className="w-full table-fixed text-left">
        <colgroup>
          <col className="w-44" />
          <col className="w-24" />
          <col />
          <col className="w-24" />
        </colgroup>
        <thead className="sr-only">
          <tr>
            <th scope="col">Type</th>
            <th scope="col">Key</th>
            <th scope="col">Data</th>
            <th scope="col">Time</th>
          </tr>
        </thead>
        <tbody>
          {data?.events.map((event) => (
            <tr key={event.position} className="relative h-[1.875rem] hover:bg-hover">
              <th scope="row" className="pl-4 font-medium">
                <Link to="/events" search={{ sel: event.position }} className="row-link flex items-center gap-2">
                  <KindIcon kind={event.kind} size={14} />
                  <span className="truncate">{event.type}</span>
                </Link>
              </th>
              <td className="mono truncate px-2 text-ink-2">{event.key}</td>
              <td className="pr-4">
                <span className="flex min-w-0">
                  <Preview text={event.preview} />
                </span>
              </td>
              <td className="pr-4 text-right whitespace-nowrap text-ink-3">
                <Time at={event.at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
