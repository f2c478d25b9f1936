import { Link } from '@tanstack/react-router'
import type { DeliveryView } from '../contract.ts'
import { placeOf } from '../failed/address.ts'
import { duration } from '../ui/format.ts'
import { KindIcon } from '../ui/kind.tsx'
import { StatusLabel } from '../ui/status.tsx'
import { Clock, TimeUntil } from '../ui/time.tsx'

interface DeliveriesProps {
  /** Of the event. */
  position: number
  deliveries: readonly DeliveryView[]
}

/** Every follower of an event and how it stands to it. */
export function Deliveries({ position, deliveries }: DeliveriesProps) {
  if (deliveries.length === 0) return <p className="text-ink-3">Nothing follows events of this type.</p>
  return (
    <table className="w-full text-left">
      <thead className="sr-only">
        <tr>
          <th scope="col">Follower</th>
          <th scope="col">Status</th>
          <th scope="col">Done at</th>
          <th scope="col">Took</th>
        </tr>
      </thead>
      <tbody>
        {deliveries.map((delivery) => (
          // A cache passes in every process.
          <Row
            key={`${delivery.kind} ${delivery.follower} ${delivery.member}`}
            position={position}
            delivery={delivery}
          />
        ))}
      </tbody>
    </table>
  )
}

function Row({ position, delivery }: { position: number; delivery: DeliveryView }) {
  const { attempt = 1, doneAt, error, follower, kind, member, retryAt, startedAt, status, tookMs } = delivery
  const at = doneAt ?? startedAt
  const troubled = kind !== 'cache' && (status === 'retrying' || status === 'held' || status === 'dead')
  return (
    <>
      <tr className="h-7">
        <th scope="row" className="font-medium" title={member && `done by ${member}`}>
          <span className="flex items-center gap-2">
            <KindIcon kind={kind} size={14} />
            {follower}
          </span>
        </th>
        <td>
          {troubled ? (
            <Link
              to="/failed"
              search={{ sel: placeOf({ consumer: follower, kind, position, replay: null }) }}
              className="underline-offset-2 hover:underline"
            >
              <StatusLabel status={status} />
            </Link>
          ) : (
            <StatusLabel status={status} />
          )}
        </td>
        <td className="text-right text-ink-3">{at && <Clock at={at} className="mono" />}</td>
        <td className="mono w-20 text-right text-ink">{tookMs !== undefined && duration(tookMs)}</td>
      </tr>
      {(error || status === 'retrying' || status === 'held') && (
        <tr>
          <td colSpan={4} className="pb-2 pl-[1.375rem] text-sm text-ink-2">
            {status === 'held' && 'Waits behind an earlier event of the same key. '}
            {error && (
              <>
                attempt {attempt}: {error.message} <code className="text-ink-3">{error.code}</code>
              </>
            )}
            {retryAt && (
              <>
                {' · next try '}
                <TimeUntil at={retryAt} />
              </>
            )}
          </td>
        </tr>
      )}
    </>
  )
}
