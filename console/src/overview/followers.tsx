import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { consumersQuery } from '../api/queries.ts'
import { useLiveConsumers, useTopic } from '../api/use-live.ts'
import { note } from '../consumers/history.ts'
import { count, rate } from '../ui/format.ts'
import { KindIcon } from '../ui/kind.tsx'
import { StatusIcon } from '../ui/status.tsx'

/** Everything that follows the log, in one line each. */
export function Followers() {
  const { data: consumers } = useQuery(consumersQuery)
  useLiveConsumers()
  useTopic('consumers', note)
  if (consumers === undefined || consumers.length === 0) return null
  return (
    <section aria-labelledby="followers" className="rounded-lg border border-line bg-surface">
      <h2 id="followers" className="label-caps border-b border-line px-4 py-2.5">
        Followers
      </h2>
      <table className="w-full text-left">
        <thead className="sr-only">
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Status</th>
            <th scope="col">Behind</th>
            <th scope="col">Rate</th>
          </tr>
        </thead>
        <tbody>
          {consumers.map(({ kind, lag, name, rate: perSecond, status }) => (
            <tr key={`${kind}:${name}`} className="relative h-[1.875rem] hover:bg-hover">
              <th scope="row" className="pl-4 font-medium">
                <Link
                  to="/consumers"
                  search={{ sel: `${kind}:${name}` }}
                  className="row-link flex items-center gap-2.5"
                >
                  <KindIcon kind={kind} size={15} />
                  {name}
                </Link>
              </th>
              <td className="w-6">
                <span className="flex">
                  <StatusIcon status={status} />
                </span>
                <span className="sr-only">{status}</span>
              </td>
              <td className="w-24 text-right text-ink-2">{count(lag)} behind</td>
              <td className="w-20 pr-4 text-right">{rate(perSecond)}/s</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
