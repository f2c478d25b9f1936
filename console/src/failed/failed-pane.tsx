import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { ApiProblem } from '../api/call.ts'
import { deadLetterQuery } from '../api/queries.ts'
import type { DeliveryAddress, FailedDeliveryDetail } from '../contract.ts'
import { Button, buttonClass } from '../ui/button.tsx'
import { plural } from '../ui/format.ts'
import { Icon } from '../ui/icon.tsx'
import { JsonView } from '../ui/json-view.tsx'
import { KindIcon } from '../ui/kind.tsx'
import { Pane } from '../ui/pane.tsx'
import { Problem, Skeleton } from '../ui/states.tsx'
import { StatusLabel } from '../ui/status.tsx'
import { Clock, Time, TimeUntil } from '../ui/time.tsx'
import { DiscardDialog } from './discard-dialog.tsx'
import { EditForm } from './edit-form.tsx'
import { RedriveDialog } from './redrive-dialog.tsx'
import { useAct } from './use-act.ts'

/** One delivery that failed: why, how often, with which data, and what can be done. */
export function FailedPane({ address, onClose }: { address: DeliveryAddress; onClose: () => void }) {
  const { data: delivery, error } = useQuery(deadLetterQuery(address))
  return (
    <Pane
      label={`${address.consumer}, event ${address.position}`}
      name="failed"
      onClose={onClose}
      header={
        <div className="flex min-h-7 flex-wrap items-center gap-2">
          <KindIcon kind={delivery?.kind ?? 'consumer'} />
          <h2 className="truncate text-lg font-semibold">{address.consumer}</h2>
          <span className="mono text-ink-3">{address.position}</span>
          {delivery && (
            <span className="ml-2">
              <StatusLabel status={delivery.state} />
            </span>
          )}
        </div>
      }
    >
      {error && !delivery && (
        <Problem error={isOver(error) ? new Error('It is over: handled, or discarded.') : error} />
      )}
      {delivery === undefined && !error && <Skeleton />}
      {delivery && <Detail address={address} delivery={delivery} />}
    </Pane>
  )
}

const isOver = (error: Error): boolean => error instanceof ApiProblem && error.code === 'NOT_FOUND'

function Detail({ address, delivery }: { address: DeliveryAddress; delivery: FailedDeliveryDetail }) {
  const { data, edit, error, heldBehind, newest } = delivery
  return (
    <>
      <Actions address={address} delivery={delivery} />
      {error && (
        <section className="border-b border-line px-4 py-3">
          <h2 className="label-caps mb-1.5">Error</h2>
          <p>
            <code className="text-ink-3">{error.code}</code> {error.message}
          </p>
          {error.stack && (
            <pre className="mono mt-2 overflow-x-auto text-sm leading-5 whitespace-pre-wrap text-ink-2">
              {error.stack}
            </pre>
          )}
        </section>
      )}
      <Tries delivery={delivery} />
      {heldBehind.length > 0 && (
        <p className="border-b border-line px-4 py-3 text-ink-2">
          {plural(heldBehind.length, 'newer event')} of its key waits behind it.
        </p>
      )}
      {edit && (
        <p className="border-b border-line bg-accent-soft px-4 py-2.5">
          Edited by {edit.by} <Time at={edit.at} />
          {edit.reason && `: ${edit.reason}`}. The handler gets the edited data; the log keeps the original.
        </p>
      )}
      {edit && <JsonView title="Data for the handler" what="edited data" value={edit.data} />}
      <JsonView title={edit ? 'Data in the log' : 'Data'} what="data" value={newest ?? data} />
    </>
  )
}

function Actions({ address, delivery }: { address: DeliveryAddress; delivery: FailedDeliveryDetail }) {
  const [asked, setAsked] = useState<'redrive' | 'discard' | 'edit'>()
  const { edit, event, key, state } = delivery
  const { consumer, position, replay } = address
  const selection = { consumer, positions: [position], ...(replay === undefined ? {} : { replay }) }
  const retry = useAct('retryNow', () => 'It is due now')
  const undo = useAct('undoEdit', () => 'The handler gets what the log says')
  const done = (): void => setAsked(undefined)
  return (
    <section className="border-b border-line px-4 py-3">
      <div className="flex flex-wrap gap-2">
        {state === 'dead' && <Button onClick={() => setAsked('redrive')}>Redrive</Button>}
        {state === 'retrying' && (
          <Button disabled={retry.isPending} onClick={() => retry.mutate({ ...selection, by: 'console' })}>
            Try again now
          </Button>
        )}
        <Button onClick={() => setAsked(asked === 'edit' ? undefined : 'edit')} aria-pressed={asked === 'edit'}>
          Edit data
        </Button>
        {edit && (
          <Button disabled={undo.isPending} onClick={() => undo.mutate({ ...address, by: 'console' })}>
            Undo edit
          </Button>
        )}
        {state !== 'held' && <Button onClick={() => setAsked('discard')}>Discard</Button>}
        <Link to="/e/$position" params={{ position: String(position) }} className={buttonClass}>
          <Icon name="event" size={13} /> Event
        </Link>
        <Link to="/j/$position" params={{ position: String(position) }} className={buttonClass}>
          <Icon name="journey" size={13} /> Journey
        </Link>
      </div>
      <p className="mt-2 text-sm text-ink-3">
        {event.type}
        {key !== null && (
          <>
            {' · key '}
            <span className="mono text-ink-2">{key}</span>
          </>
        )}
        {' · '}
        <Clock at={event.at} />
      </p>
      <div role="status">
        {retry.error && <p className="mt-2 text-failed">{retry.error.message}</p>}
        {undo.error && <p className="mt-2 text-failed">{undo.error.message}</p>}
      </div>
      {asked === 'edit' && <EditForm address={address} delivery={delivery} onDone={done} />}
      {asked === 'redrive' && <RedriveDialog selection={selection} onClose={done} />}
      {asked === 'discard' && <DiscardDialog selection={selection} what={`event ${position}`} onClose={done} />}
    </section>
  )
}

function Tries({ delivery: { retryAt, tries } }: { delivery: FailedDeliveryDetail }) {
  if (tries.length === 0) return null
  return (
    <section className="border-b border-line px-4 py-3">
      <h2 className="label-caps mb-1.5">{plural(tries.length, 'try', 'tries')}</h2>
      <ol className="flex flex-col gap-1">
        {tries.map(({ at, attempt, code, member, message }) => (
          <li key={`${at} ${attempt}`} className="flex items-baseline gap-2.5">
            <span className="mono w-5 shrink-0 text-right text-ink-3">{attempt}</span>
            <Clock at={at} className="mono shrink-0 text-ink-3" />
            <span className="min-w-0 flex-1 break-words" title={member && `on ${member}`}>
              <code className="text-ink-3">{code}</code> {message}
            </span>
          </li>
        ))}
      </ol>
      {retryAt && (
        <p className="mt-1.5 text-sm text-ink-3">
          Next try <TimeUntil at={retryAt} />.
        </p>
      )}
    </section>
  )
}
