import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { failuresQuery, groupQuery } from '../api/queries.ts'
import type { FailedDelivery, FailureGroup } from '../contract.ts'
import { useShortcut } from '../shell/shortcuts.ts'
import { count, plural } from '../ui/format.ts'
import { Icon } from '../ui/icon.tsx'
import { KindIcon } from '../ui/kind.tsx'
import { PageHead } from '../ui/page-head.tsx'
import { Empty, Problem, Skeleton } from '../ui/states.tsx'
import { StatusLabel } from '../ui/status.tsx'
import { Time, TimeUntil } from '../ui/time.tsx'
import { addressOf, placeOf } from './address.ts'
import { FailedPane } from './failed-pane.tsx'
import { GroupActions } from './group-actions.tsx'

const route = getRouteApi('/failed')

/** What could not be handled, alike failures together, and what can be done about it. */
export function FailedPage() {
  const { data: groups, error, refetch } = useQuery(failuresQuery)
  const { group: signature, sel } = route.useSearch()
  const navigate = useNavigate({ from: '/failed' })
  const address = addressOf(sel)
  const close = (): void => void navigate({ search: (search) => ({ ...search, sel: undefined }), replace: true })
  useShortcut('Escape', close, address !== undefined)
  const open = groups?.find((group) => group.signature === signature)
  return (
    <div className="relative flex min-h-0 flex-1">
      <div className="flex min-w-0 flex-1 flex-col overflow-y-auto">
        <PageHead title="Failed" sentence={groups && sentence(groups)} />
        {error && <Problem error={error} retry={() => void refetch()} />}
        {!error && groups === undefined && <Skeleton />}
        {groups?.length === 0 && signature === undefined && (
          <Empty title="Nothing has failed.">
            What a handler throws is tried again by the consumer’s own rules; what fails to the last stands here until
            somebody redrives, edits or discards it. Nothing is dropped silently.
          </Empty>
        )}
        {groups && groups.length > 0 && (
          <ul className="border-t border-line bg-surface">
            {groups.map((group) => (
              <li key={`${group.signature} ${group.replay}`} className="border-b border-line">
                <GroupRow group={group} open={group === open} />
                {group === open && <Deliveries group={group} sel={sel} />}
              </li>
            ))}
          </ul>
        )}
      </div>
      {address && <FailedPane key={sel} address={address} onClose={close} />}
    </div>
  )
}

function GroupRow({ group, open }: { group: FailureGroup; open: boolean }) {
  const { code, consumer, dead, held, kind, lastFailedAt, message, replay, retrying, signature, types } = group
  return (
    <div data-selected={open} className="relative px-4 py-2.5 hover:bg-hover data-[selected=true]:bg-selected">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Icon name={open ? 'down' : 'right'} size={12} className="text-ink-3" />
        <KindIcon kind={kind} />
        <Link
          from="/failed"
          search={{ group: open ? undefined : signature }}
          replace={true}
          aria-expanded={open}
          className="row-link font-medium"
        >
          {consumer}
          {replay !== null && ` in replay ${replay}`}
        </Link>
        {dead > 0 && <StatusLabel status="dead">{count(dead)} dead</StatusLabel>}
        {retrying > 0 && <StatusLabel status="retrying">{count(retrying)} retrying</StatusLabel>}
        {held > 0 && <StatusLabel status="held">{count(held)} held</StatusLabel>}
        <span className="flex-1" />
        <span className="text-sm text-ink-3">
          last <Time at={lastFailedAt} />
        </span>
      </div>
      <p className="mt-1 pl-6 text-ink-2">
        <code className="text-ink-3">{code}</code> {message}
      </p>
      <p className="mono mt-0.5 pl-6 text-sm text-ink-3">{types.join(', ')}</p>
    </div>
  )
}

function Deliveries({ group, sel }: { group: FailureGroup; sel: string | undefined }) {
  const { data, error } = useQuery(groupQuery(group.signature, group.replay))
  return (
    <section aria-label={`Deliveries to ${group.consumer}`} className="border-t border-line bg-sunken pb-2">
      <GroupActions group={group} />
      {error && <Problem error={error} />}
      {data && (
        <table className="w-full text-left">
          <thead className="sr-only">
            <tr>
              <th scope="col">Event</th>
              <th scope="col">Key</th>
              <th scope="col">State</th>
              <th scope="col">Tries</th>
              <th scope="col">When</th>
            </tr>
          </thead>
          <tbody>
            {data.deliveries.map((delivery) => (
              <DeliveryRow key={placeOf(delivery)} delivery={delivery} selected={placeOf(delivery) === sel} />
            ))}
          </tbody>
        </table>
      )}
      {data && data.total > data.deliveries.length && (
        <p className="px-10 py-2 text-sm text-ink-3">
          The newest {count(data.deliveries.length)} of {count(data.total)}.
        </p>
      )}
    </section>
  )
}

function DeliveryRow({ delivery, selected }: { delivery: FailedDelivery; selected: boolean }) {
  const { attempts, edited, key, lastFailedAt, position, retryAt, state, type } = delivery
  return (
    <tr data-selected={selected} className="relative h-9 hover:bg-hover data-[selected=true]:bg-selected">
      <th scope="row" className="pl-10 font-normal whitespace-nowrap">
        <Link
          from="/failed"
          search={(search) => ({ ...search, sel: selected ? undefined : placeOf(delivery) })}
          replace={true}
          aria-current={selected}
          className="row-link"
        >
          <span className="font-medium">{type}</span> <span className="mono text-ink-3">{position}</span>
        </Link>
      </th>
      <td className="mono px-3 text-ink-2">{key}</td>
      <td className="px-3 whitespace-nowrap">
        <StatusLabel status={state} />
        {edited && <span className="ml-2 rounded bg-accent-soft px-1.5 text-sm text-ink">edited</span>}
      </td>
      <td className="px-3 text-right whitespace-nowrap text-ink-2">{plural(attempts, 'try', 'tries')}</td>
      <td className="pr-4 pl-3 text-right text-sm whitespace-nowrap text-ink-3">
        {retryAt ? <TimeUntil at={retryAt} /> : lastFailedAt && <Time at={lastFailedAt} />}
      </td>
    </tr>
  )
}

function sentence(groups: readonly FailureGroup[]): string {
  const sum = (name: 'dead' | 'retrying' | 'held') => groups.reduce((total, group) => total + group[name], 0)
  const [dead, retrying, held] = [sum('dead'), sum('retrying'), sum('held')]
  if (dead + retrying + held === 0) return 'Every delivery has come through.'
  const parts = [
    ...(dead > 0 ? [`${plural(dead, 'dead letter')} for somebody to decide`] : []),
    ...(retrying > 0 ? [`${count(retrying)} tried again by themselves`] : []),
    ...(held > 0 ? [`${count(held)} held behind them`] : []),
  ]
  return `${parts.join(', ')}.`
}
