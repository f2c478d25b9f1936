import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { journeyQuery } from '../api/queries.ts'
import type { Hop, Journey } from '../contract.ts'
import { ChangeDiff } from '../events/change-diff.tsx'
import { PageTitle } from '../shell/page-title.tsx'
import { useShortcut } from '../shell/shortcuts.ts'
import { buttonClass } from '../ui/button.tsx'
import { CopyButton, copy } from '../ui/copy.tsx'
import { count, duration, plural } from '../ui/format.ts'
import { Icon } from '../ui/icon.tsx'
import { JsonView } from '../ui/json-view.tsx'
import { KindIcon } from '../ui/kind.tsx'
import { Problem, Skeleton } from '../ui/states.tsx'
import { StatusIcon } from '../ui/status.tsx'
import { Clock } from '../ui/time.tsx'
import { isFollower, loggedAtMs } from './scale.ts'
import { Waterfall } from './waterfall.tsx'

const route = getRouteApi('/j/$position')

/** The way of one change: from the commit of its row through cache, index and consumers, with the time of each. */
export function JourneyPage() {
  const position = Number(route.useParams().position)
  const { data: journey, error, refetch } = useQuery(journeyQuery(position))
  const navigate = useNavigate()
  const go = (to: number): void => {
    if (to > 0) void navigate({ to: '/j/$position', params: { position: String(to) }, replace: true })
  }
  useShortcut('[', () => go(position + 1))
  useShortcut(']', () => go(position - 1))
  useShortcut('y', () => void copy(String(position), 'position'))
  useShortcut('Escape', () => void navigate({ to: '/journey' }))
  useShortcut('o', () => void navigate({ to: '/e/$position', params: { position: String(position) } }))

  return (
    <div className="min-h-0 flex-1 overflow-y-auto">
      <div className="mx-auto flex max-w-[88rem] flex-col gap-5 px-4 pt-4 pb-8 lg:px-6">
        <Heading position={position} journey={journey} />
        {error && <Problem error={error} retry={() => void refetch()} />}
        {!error && journey === undefined && <Skeleton rows={8} height={36} />}
        {journey && <Story journey={journey} />}
      </div>
    </div>
  )
}

function Heading({ position, journey }: { position: number; journey: Journey | undefined }) {
  return (
    <div className="flex flex-wrap items-end gap-x-4 gap-y-2">
      <div className="flex min-w-0 flex-1 flex-col gap-1">
        <p className="label-caps">Journey of {count(position)}</p>
        <PageTitle
          title={`Journey ${position}`}
          className="flex min-w-0 items-center gap-2.5 text-xl font-semibold tracking-tight"
        >
          {journey && <KindIcon kind={journey.event.kind} size={20} />}
          <span className="truncate">{journey?.event.type ?? `Journey of ${count(position)}`}</span>
          {journey?.event.key != null && (
            <span className="flex items-center gap-1 font-normal text-ink-2">
              key {journey.event.key}
              <CopyButton text={journey.event.key} what="key" />
            </span>
          )}
        </PageTitle>
      </div>
      <CopyButton label={String(position)} what="position" text={String(position)} />
      <Link to="/e/$position" params={{ position: String(position) }} className={buttonClass} title="o">
        <Icon name="event" size={14} /> Event
      </Link>
    </div>
  )
}

function Story({ journey }: { journey: Journey }) {
  const { data, event, hops, meta, totalMs } = journey
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-10 gap-y-4">
        <div>
          <p className="text-[2.75rem] leading-none font-semibold tracking-tight">{duration(totalMs)}</p>
          <p className="mt-1.5 flex items-center gap-2 text-ink-2">
            <StatusIcon status={statusOf(journey)} />
            <span aria-live="polite">{sentence(journey)}</span>
          </p>
        </div>
        <dl className="flex flex-wrap gap-x-8 gap-y-2">
          <Figure term={event.kind === 'change' ? 'Committed' : 'Published'} value={<Clock at={event.at} />} />
          {hops.length > 1 && <Figure term="In the log after" value={duration(loggedAtMs(hops))} />}
          {slowest(hops) && (
            <Figure term={`Slowest: ${slowest(hops)?.name}`} value={duration(slowest(hops)?.sinceStartMs ?? 0)} />
          )}
        </dl>
      </div>
      <Waterfall key={`${event.position} ${journey.complete}`} journey={journey} />
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <div className="rounded-lg border border-line bg-surface *:last:border-0">
          <ChangeDiff data={data} />
          <JsonView title="Data" what="data" value={data} />
        </div>
        {Object.keys(meta).length > 0 && (
          <div className="rounded-lg border border-line bg-surface *:border-0">
            <JsonView title="Meta" what="meta" value={meta} />
          </div>
        )}
      </div>
    </>
  )
}

function Figure({ term, value }: { term: string; value: React.ReactNode }) {
  return (
    <div className="flex flex-col border-l-2 border-line-strong pl-3">
      <dt className="text-sm text-ink-3">{term}</dt>
      <dd className="text-lg font-medium">{value}</dd>
    </div>
  )
}

function slowest(hops: readonly Hop[]): Hop | undefined {
  return hops
    .filter((hop) => isFollower(hop) && hop.status === 'done')
    .reduce<Hop | undefined>((slow, hop) => (slow && slow.sinceStartMs >= hop.sinceStartMs ? slow : hop), undefined)
}

function statusOf({ hops }: Journey): Hop['status'] {
  const order: readonly Hop['status'][] = ['dead', 'retrying', 'held', 'waiting']
  return order.find((status) => hops.some((hop) => hop.status === status)) ?? 'done'
}

function sentence({ event, hops }: Journey): string {
  const start = event.kind === 'change' ? 'the commit' : 'it was published'
  const followers = hops.filter(isFollower)
  if (followers.length === 0) return `from ${start} into the log; nothing follows it`
  const waiting = followers.filter((hop) => hop.status !== 'done')
  const [first] = waiting
  if (first === undefined) return `from ${start} to ${plural(followers.length, 'follower')}, all done`
  const names = waiting.map((hop) => `${hop.name} is ${hop.status === 'waiting' ? 'still to come' : hop.status}`)
  return `${followers.length - waiting.length} of ${plural(followers.length, 'follower')} done; ${names.join(', ')}`
}
