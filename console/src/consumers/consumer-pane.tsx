import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { ConsumerView } from '../contract.ts'
import { useAct } from '../failed/use-act.ts'
import { Button, buttonClass } from '../ui/button.tsx'
import { CopyButton } from '../ui/copy.tsx'
import { count, duration, plural, rate } from '../ui/format.ts'
import { Icon } from '../ui/icon.tsx'
import { KindIcon } from '../ui/kind.tsx'
import { Pane } from '../ui/pane.tsx'
import { StatusLabel } from '../ui/status.tsx'
import { age } from './age.ts'
import { Replays } from './replays.tsx'

/** One follower: what it follows, and each of its slots with the process that works on it. */
export function ConsumerPane({ consumer, onClose }: { consumer: ConsumerView; onClose: () => void }) {
  const { kind, name, status } = consumer
  return (
    <Pane
      label={`${kind} ${name}`}
      name="consumers"
      onClose={onClose}
      header={
        <div className="flex min-h-7 items-center gap-2">
          <KindIcon kind={kind} />
          <h2 className="truncate text-lg font-semibold">{name}</h2>
          <CopyButton text={name} what="name" />
          <span className="ml-2">
            <StatusLabel status={status} />
          </span>
        </div>
      }
    >
      <Standing consumer={consumer} />
      <Facts consumer={consumer} />
      <Follows consumer={consumer} />
      <Policy consumer={consumer} />
      {kind === 'consumer' && <Replays consumer={name} />}
      <Slots consumer={consumer} />
    </Pane>
  )
}

/** Whether it stands still, why, and how that is changed. */
function Standing({ consumer: { dead, held, kind, name, paused, retrying, stoppedBy } }: { consumer: ConsumerView }) {
  const pause = useAct('pauseConsumer', () => `${name} is paused`)
  const resume = useAct('resumeConsumer', () => `${name} goes on`)
  if (kind === 'cache') return null
  const consumer = kind === 'index' ? `index:${name}` : name
  const failed = dead + held + retrying
  return (
    <section className="flex flex-wrap items-center gap-2 border-b border-line px-4 py-2.5">
      {paused ? (
        <Button icon="play" disabled={resume.isPending} onClick={() => resume.mutate({ consumer, by: 'console' })}>
          Resume
        </Button>
      ) : (
        <Button icon="pause" disabled={pause.isPending} onClick={() => pause.mutate({ consumer, by: 'console' })}>
          Pause
        </Button>
      )}
      {failed > 0 && (
        <Link to="/failed" className={buttonClass}>
          <Icon name="failed" size={13} /> {plural(failed, 'delivery', 'deliveries')} not through
        </Link>
      )}
      {stoppedBy && (
        <p className="basis-full text-ink-2">
          Stopped itself at event{' '}
          <Link to="/e/$position" params={{ position: String(stoppedBy.position) }} className="text-accent underline">
            {stoppedBy.position}
          </Link>
          : <code className="text-ink-3">{stoppedBy.code}</code> {stoppedBy.message}. Resumed, it tries that event
          again.
        </p>
      )}
      {(pause.error ?? resume.error) && <p className="text-failed">{(pause.error ?? resume.error)?.message}</p>}
    </section>
  )
}

function Policy({ consumer: { etaMs, policy } }: { consumer: ConsumerView }) {
  const facts = Object.entries(policy)
  if (facts.length === 0 && etaMs === undefined) return null
  return (
    <section className="border-b border-line px-4 py-3">
      <h2 className="label-caps mb-1.5">Policy</h2>
      <dl className="grid grid-cols-[repeat(auto-fill,minmax(9rem,1fr))] gap-x-4 gap-y-2">
        {facts.map(([term, value]) => (
          <Fact key={term} term={term}>
            {value}
          </Fact>
        ))}
        {etaMs !== undefined && <Fact term="caught up in">{duration(etaMs)}</Fact>}
      </dl>
    </section>
  )
}

function Facts({ consumer }: { consumer: ConsumerView }) {
  const { dead, held, lag, lagSeconds, p50Ms, p95Ms, position, retrying } = consumer
  return (
    <dl className="grid grid-cols-[repeat(auto-fill,minmax(8rem,1fr))] gap-x-4 gap-y-3 border-b border-line px-4 py-3.5">
      <Fact term="behind">{plural(lag, 'event')}</Fact>
      <Fact term="oldest waits">{age(lagSeconds)}</Fact>
      <Fact term="rate">{rate(consumer.rate)} a second</Fact>
      <Fact term="p50">{p50Ms === undefined ? '–' : duration(p50Ms)}</Fact>
      <Fact term="p95">{p95Ms === undefined ? '–' : duration(p95Ms)}</Fact>
      <Fact term="position">{count(position)}</Fact>
      <Fact term="retrying">{count(retrying)}</Fact>
      <Fact term="held">{count(held)}</Fact>
      <Fact term="dead">{count(dead)}</Fact>
    </dl>
  )
}

function Fact({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div>
      <dt className="text-sm text-ink-3">{term}</dt>
      <dd className="font-medium">{children}</dd>
    </div>
  )
}

function Follows({ consumer: { follows } }: { consumer: ConsumerView }) {
  return (
    <section className="border-b border-line px-4 py-3">
      <h2 className="label-caps mb-1.5">Follows</h2>
      <ul className="flex flex-wrap gap-1.5">
        {follows.map((type) => (
          <li key={type}>
            <Link
              to="/events"
              search={{ type }}
              className="inline-flex min-h-7 items-center gap-1.5 rounded-full border border-line px-2.5 text-sm text-ink-2 hover:bg-hover hover:text-ink"
            >
              <KindIcon kind={type.startsWith('change:') ? 'change' : 'event'} size={13} />
              {type}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Slots({ consumer: { lag, position, slots } }: { consumer: ConsumerView }) {
  const head = position + lag
  return (
    <section className="px-4 py-3">
      <h2 className="label-caps mb-1.5">{plural(slots.length, 'slot')}</h2>
      <table className="w-full text-left">
        <thead>
          <tr className="h-6 text-sm text-ink-3">
            <th scope="col" className="font-normal">
              slot
            </th>
            <th scope="col" className="text-right font-normal">
              position
            </th>
            <th scope="col" className="text-right font-normal">
              behind
            </th>
            <th scope="col" className="pl-6 font-normal">
              process
            </th>
          </tr>
        </thead>
        <tbody>
          {slots.map((slot) => (
            <tr key={slot.slot} className="h-6 border-t border-line">
              <th scope="row" className="mono font-normal text-ink-3">
                {slot.slot}
              </th>
              <td className="mono text-right">{slot.position}</td>
              <td className="mono text-right text-ink-2">{count(Math.max(0, head - slot.position))}</td>
              <td className="mono pl-6 text-ink-2">
                {slot.member ?? <StatusLabel status="waiting">nobody</StatusLabel>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
