import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { consumersQuery } from '../api/queries.ts'
import { useLiveConsumers, useTopic } from '../api/use-live.ts'
import type { ConsumerView } from '../contract.ts'
import { useShortcut } from '../shell/shortcuts.ts'
import { count, duration, plural, rate } from '../ui/format.ts'
import { KindIcon, kindColor } from '../ui/kind.tsx'
import { PageHead } from '../ui/page-head.tsx'
import { Sparkline } from '../ui/sparkline.tsx'
import { Empty, Problem, Skeleton } from '../ui/states.tsx'
import { StatusLabel, type StatusWord, statusColor } from '../ui/status.tsx'
import { age } from './age.ts'
import { ConsumerPane } from './consumer-pane.tsx'
import { note, rateHistory } from './history.ts'

const route = getRouteApi('/consumers')

/** Everything that follows the log: how far behind, how fast, and what is stuck. */
export function ConsumersPage() {
  const { data: consumers, error, refetch } = useQuery(consumersQuery)
  const { sel } = route.useSearch()
  const navigate = useNavigate({ from: '/consumers' })
  useLiveConsumers()
  useTopic('consumers', note)

  const select = (id: string | undefined): void => void navigate({ search: { sel: id }, replace: true })
  const close = (): void => {
    select(undefined)
    document.querySelector<HTMLElement>(`[data-consumer="${CSS.escape(sel ?? '')}"]`)?.focus()
  }
  const move = (step: number): void => {
    const ids = (consumers ?? []).map(idOf)
    const focused = document.activeElement?.getAttribute('data-consumer')
    const at = ids.indexOf(sel ?? focused ?? '')
    const next = ids[at === -1 ? 0 : at + step]
    if (next === undefined) return
    document.querySelector<HTMLElement>(`[data-consumer="${CSS.escape(next)}"]`)?.focus()
    if (sel !== undefined) select(next)
  }
  useShortcut('j', () => move(1))
  useShortcut('k', () => move(-1))
  useShortcut('Escape', close, sel !== undefined)

  const chosen = consumers?.find((consumer) => idOf(consumer) === sel || consumer.name === sel)
  return (
    <div className="relative flex min-h-0 flex-1">
      <div className="flex min-w-0 flex-1 flex-col overflow-y-auto">
        <PageHead title="Consumers" sentence={consumers && sentence(consumers)} />
        {error && <Problem error={error} retry={() => void refetch()} />}
        {!error && consumers === undefined && <Skeleton />}
        {consumers?.length === 0 && (
          <Empty title="Nothing follows the log yet.">
            Declare a cache or an index from a table, or a consumer of an event with <code>on(…)</code>; it stands here
            as soon as the file is saved.
          </Empty>
        )}
        {consumers && consumers.length > 0 && <Table consumers={consumers} sel={chosen && idOf(chosen)} />}
      </div>
      {chosen && <ConsumerPane consumer={chosen} onClose={close} />}
    </div>
  )
}

const right = 'px-3 text-right'

function Table({ consumers, sel }: { consumers: readonly ConsumerView[]; sel: string | undefined }) {
  const mostBehind = Math.max(100, ...consumers.map((consumer) => consumer.lag))
  return (
    <div className="@container overflow-x-auto border-t border-line bg-surface">
      <table className="w-full min-w-160 text-left">
        <thead>
          <tr className="label-caps h-8 border-b border-line whitespace-nowrap">
            <th scope="col" className="pl-4">
              Name
            </th>
            <th scope="col" className="px-3">
              Status
            </th>
            <th scope="col" className={right}>
              Behind
            </th>
            <th scope="col" className={right}>
              Oldest
            </th>
            <th scope="col" className={right}>
              Per second
            </th>
            <th scope="col" className={right}>
              p50
            </th>
            <th scope="col" className={right}>
              p95
            </th>
            <th scope="col" className={right}>
              Retrying
            </th>
            <th scope="col" className={right}>
              Held
            </th>
            <th scope="col" className={right}>
              Dead
            </th>
            <th scope="col" className="pr-4 pl-3 text-right">
              Slots
            </th>
          </tr>
        </thead>
        <tbody>
          {consumers.map((consumer) => (
            <Row key={idOf(consumer)} consumer={consumer} selected={idOf(consumer) === sel} mostBehind={mostBehind} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface RowProps {
  consumer: ConsumerView
  selected: boolean
  mostBehind: number
}

function Row({ consumer, selected, mostBehind }: RowProps) {
  const { dead, held, kind, lag, lagSeconds, name, p50Ms, p95Ms, retrying, slots, status } = consumer
  const id = idOf(consumer)
  return (
    <tr
      data-selected={selected}
      className="relative h-11 border-b border-line hover:bg-hover data-[selected=true]:bg-selected"
    >
      <th scope="row" className="pl-4 font-normal">
        <Link
          from="/consumers"
          search={{ sel: selected ? undefined : id }}
          replace={true}
          data-consumer={id}
          aria-current={selected}
          className="row-link flex items-center gap-2.5"
        >
          <KindIcon kind={kind} />
          <span className="font-medium whitespace-nowrap">{name}</span>
          <span className="hidden text-sm text-ink-3 @4xl:inline">{kind}</span>
        </Link>
      </th>
      <td className="px-3">
        <StatusLabel status={status} />
      </td>
      <td className={right}>
        <span className="inline-flex items-center justify-end gap-2 align-middle">
          {lag > 0 && (
            <span
              aria-hidden="true"
              className="hidden h-1.5 w-16 justify-end overflow-hidden rounded-full bg-hover @4xl:flex"
            >
              <span
                className="rounded-full"
                style={{
                  width: `${(100 * lag) / mostBehind}%`,
                  background: lag > 100 ? 'var(--retrying)' : 'var(--edge)',
                }}
              />
            </span>
          )}
          <span className="min-w-8 font-medium">{count(lag)}</span>
        </span>
      </td>
      <td className={`${right} whitespace-nowrap text-ink-2`}>{age(lagSeconds)}</td>
      <td className={right}>
        <span className="inline-flex items-center gap-2.5 align-middle">
          <span className="hidden @4xl:inline-flex">
            <Sparkline values={rateHistory(id)} color={kindColor(kind)} />
          </span>
          <span className="min-w-10 font-medium">{rate(consumer.rate)}</span>
        </span>
      </td>
      <td className={`${right} whitespace-nowrap text-ink-2`}>{p50Ms === undefined ? '–' : duration(p50Ms)}</td>
      <td className={`${right} whitespace-nowrap text-ink-2`}>{p95Ms === undefined ? '–' : duration(p95Ms)}</td>
      <Tally value={retrying} status="retrying" />
      <Tally value={held} status="held" />
      <Tally value={dead} status="dead" />
      <td className="pr-4 pl-3 text-right text-ink-2">{slots.length}</td>
    </tr>
  )
}

function Tally({ value, status }: { value: number; status: StatusWord }) {
  if (value === 0) return <td className={`${right} text-ink-3`}>0</td>
  return (
    <td className={`${right} font-semibold`} style={{ color: statusColor(status) }}>
      {count(value)}
    </td>
  )
}

function idOf({ kind, name }: ConsumerView): string {
  return `${kind}:${name}`
}

function sentence(consumers: readonly ConsumerView[]): string {
  const behind = consumers.filter((consumer) => consumer.lag > 100)
  const worst = behind.toSorted((a, b) => b.lag - a.lag)[0]
  const stuck = consumers.reduce((sum, { dead, held, retrying }) => sum + dead + held + retrying, 0)
  const parts = [plural(consumers.length, 'follower')]
  parts.push(worst ? `${worst.name} behind by ${count(worst.lag)}` : 'all keeping pace')
  if (stuck > 0) parts.push(`${plural(stuck, 'delivery', 'deliveries')} not through`)
  return `${parts.join(', ')}.`
}
