import type { Selection } from '../delivery/dead-letters.ts'
import type { Signature } from '../delivery/interventions.ts'
import { replayConsumer, replayPrefix } from '../delivery/replay-name.ts'
import { PlatformError } from '../kernel/errors.ts'
import type { DeliveryAddress, FailedSelection, Signed } from './contract.ts'

/** @throws INPUT_INVALID when nothing says which deliveries are meant */
export function selectionOf({
  consumer,
  positions,
  signature,
  type,
  key,
  replay,
  all = false,
}: FailedSelection): Selection {
  if (positions !== undefined && consumer === undefined && replay === undefined)
    throw refusal('/consumer', 'is missing: positions are those of one consumer')
  const given = [consumer, positions, signature, type, key, replay].some((value) => value !== undefined)
  if (!given && !all) throw refusal('', 'says nothing of which deliveries are meant; all of them are `all: true`')
  return {
    ...(replay !== undefined ? { consumer: replayConsumer(replay) } : consumer !== undefined ? { consumer } : {}),
    normal: replay === undefined,
    ...(positions === undefined ? {} : { positions }),
    ...(signature === undefined ? {} : { signature }),
    ...(type === undefined ? {} : { type }),
    ...(key === undefined ? {} : { key }),
  }
}

function refusal(path: string, message: string): PlatformError {
  const what = path === '' ? 'the selection' : path
  return new PlatformError('INPUT_INVALID', `${what} ${message}`, { issues: [{ path, message }] })
}

/** The name under which a delivery is stored. */
export function storedConsumer({ consumer, replay }: Pick<DeliveryAddress, 'consumer' | 'replay'>): string {
  return replay === undefined ? consumer : replayConsumer(replay)
}

export function signedBy({ by = 'unknown', reason = '' }: Signed): Signature {
  return { by: by.trim() === '' ? 'unknown' : by.trim(), reason: reason.trim() === '' ? null : reason.trim() }
}

export const kindOf = (consumer: string): 'consumer' | 'index' => (consumer.startsWith('index:') ? 'index' : 'consumer')

/**
 * SQL: the consumer that `column` names and the replay in which it was, for a statement on a table under that alias.
 * A replay runs under a name of its own.
 */
export const namedIn = (alias: string): { columns: string; join: string } => ({
  columns: `coalesce(r.consumer, ${alias}.consumer) as consumer, r.id::text as replay`,
  join: `left join millrace.replays r on ${alias}.consumer = '${replayPrefix}' || r.id`,
})
