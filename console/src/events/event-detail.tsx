import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { operationPath, read } from '../api/call.ts'
import type { EventDetail, EventSummary } from '../contract.ts'
import { Button, buttonClass } from '../ui/button.tsx'
import { CopyButton } from '../ui/copy.tsx'
import { Icon } from '../ui/icon.tsx'
import { JsonView } from '../ui/json-view.tsx'
import { KindIcon } from '../ui/kind.tsx'
import { Time } from '../ui/time.tsx'
import { ChangeDiff } from './change-diff.tsx'
import { Deliveries } from './deliveries.tsx'
import { emitCommand, shell } from './first-steps.ts'
import { Preview } from './preview.tsx'
import { SchemaView } from './schema-view.tsx'

interface Part {
  event: EventDetail
}

/** What it is and the ways on from here. On its own page the type stands in the title already. */
export function EventHeading({ event, level }: Part & { level: 'pane' | 'page' }) {
  const position = String(event.position)
  return (
    <div className="flex flex-col gap-2">
      {level === 'pane' && (
        <h2 className="flex items-center gap-2 text-lg font-semibold">
          <KindIcon kind={event.kind} />
          <span className="truncate">{event.type}</span>
        </h2>
      )}
      <dl className="flex flex-wrap items-center gap-x-4 gap-y-0.5 text-sm">
        <Fact term="position" value={position}>
          <CopyButton text={position} what="position" />
        </Fact>
        {event.key !== null && (
          <Fact term="key" value={event.key}>
            <CopyButton text={event.key} what="key" />
          </Fact>
        )}
        <Fact term="id" value={`${event.id.slice(0, 8)}…`}>
          <CopyButton text={event.id} what="id" />
        </Fact>
        <div className="flex min-h-6 items-center">
          <dt className="sr-only">time</dt>
          <dd className="text-ink-2">
            <Time at={event.at} />
          </dd>
        </div>
      </dl>
      <div className="flex flex-wrap items-center gap-1.5">
        <Link to="/j/$position" params={{ position }} className={buttonClass}>
          <Icon name="journey" size={14} /> Journey
        </Link>
        {level === 'pane' && (
          <Link to="/e/$position" params={{ position }} className={buttonClass} title="o">
            <Icon name="expand" size={13} /> Full page
          </Link>
        )}
        <CopyButton label="curl" what="a curl command" text={curlOf(event)} />
        {event.kind === 'event' && (
          <CopyButton
            label="millrace emit"
            what="a millrace command"
            text={emitCommand(event.type, JSON.stringify(event.data))}
          />
        )}
      </div>
    </div>
  )
}

function Fact({ term, value, children }: { term: string; value: string; children: ReactNode }) {
  return (
    <div className="flex min-h-6 items-center gap-1.5">
      <dt className="text-ink-3">{term}</dt>
      <dd className="mono flex items-center text-ink">
        {value}
        {children}
      </dd>
    </div>
  )
}

/** Who followed it and what it set off. */
export function DeliverySections({ event }: Part) {
  return (
    <>
      <section className="border-b border-line px-4 py-3">
        <h2 className="label-caps mb-1.5">Deliveries</h2>
        <Deliveries position={event.position} deliveries={event.deliveries} />
      </section>
      <Chain title="Set off by" events={event.causes.toReversed()} gone={event.causeGone} />
      <Chain title="Set off" events={event.effects} />
      {event.causes.length + event.effects.length > 0 && <Correlated correlation={event.correlation} />}
    </>
  )
}

interface ChainProps {
  title: string
  /** The oldest first. */
  events: readonly EventSummary[]
  gone?: number | undefined
}

/** Causes down to the event, or what it set off. */
function Chain({ title, events, gone }: ChainProps) {
  if (events.length === 0 && gone === undefined) return null
  return (
    <section className="border-b border-line px-4 py-3">
      <h2 className="label-caps mb-1.5">{title}</h2>
      {gone !== undefined && <p className="text-sm text-ink-3">Event {gone} is not kept in the log any more.</p>}
      <ul>
        {events.map((each) => (
          <li key={each.position} className="relative flex min-h-7 items-center gap-2.5 rounded hover:bg-hover">
            <KindIcon kind={each.kind} size={14} />
            <Link
              to="/e/$position"
              params={{ position: String(each.position) }}
              className="row-link shrink-0 font-medium"
            >
              {each.type}
            </Link>
            <span className="mono text-ink-3">{each.position}</span>
            <Preview text={each.preview} />
          </li>
        ))}
      </ul>
    </section>
  )
}

/** Everything that the same impulse set off, when asked for. */
function Correlated({ correlation }: { correlation: string }) {
  const [open, setOpen] = useState(false)
  const { data, error } = useQuery({
    queryKey: ['correlated', correlation],
    queryFn: ({ signal }) => read('correlated', { correlation, limit: 100 }, signal),
    enabled: open,
  })
  if (!open)
    return (
      <div className="border-b border-line px-4 py-2.5">
        <Button onClick={() => setOpen(true)}>All of correlation {correlation.slice(0, 13)}</Button>
      </div>
    )
  return (
    <>
      {error && <p className="px-4 py-3 text-failed">{error.message}</p>}
      {data && <Chain title={`Correlation ${correlation}`} events={data.events} />}
    </>
  )
}

/** What it carries. */
export function DataSections({ event }: Part) {
  return (
    <>
      <ChangeDiff data={event.data} />
      <JsonView title="Data" what="data" value={event.data} />
      {Object.keys(event.meta).length > 0 && <JsonView title="Meta" what="meta" value={event.meta} />}
      {event.schema !== undefined && <SchemaView schema={event.schema} version={event.version} />}
    </>
  )
}

function curlOf({ position }: EventDetail): string {
  const address = `${location.origin}${operationPath('event', { position })}`
  return `curl -H "authorization: Bearer $MILLRACE_CONSOLE_TOKEN" ${shell(address)}`
}
