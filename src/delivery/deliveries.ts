import type { LogRecord } from '../events/record.ts'
import { backoffMs } from '../kernel/backoff.ts'
import { errorRecord } from '../kernel/errors.ts'
import type { Statement } from '../store/sql.ts'
import type { Store, Transaction } from '../store/store.ts'
import type { ConsumerSpec } from './consumer-spec.ts'

/** A delivery in trouble, as stored. */
export interface TroubledDelivery {
  position: number
  key: string | null
  slot: number
  attempt: number
  /** Milliseconds from now; `null` while it is held behind another of its key. */
  dueInMs: number | null
}

const holdStatement: Statement = {
  name: 'millrace-hold-deliveries',
  text: `insert into millrace.deliveries (consumer, position, slot, key, type, state)
    select $1, position, slot, key, type, 'held' from unnest($2::bigint[], $3::smallint[], $4::text[], $5::text[]) as d(position, slot, key, type)`,
}

/** Keeps records back because an earlier one of their key waits. */
export async function hold(
  tx: Transaction,
  consumer: string,
  records: readonly LogRecord[],
  slot: (r: LogRecord) => number,
): Promise<void> {
  if (records.length === 0) return
  await tx.run(holdStatement, [
    consumer,
    records.map((r) => r.position),
    records.map(slot),
    records.map((r) => r.key),
    records.map((r) => r.type),
  ])
}

const failStatement: Statement = {
  name: 'millrace-fail-delivery',
  text: `insert into millrace.deliveries (consumer, position, slot, key, type, state, attempt, retry_at, error)
    values ($1, $2, $3, $4, $5, $6, $7, now() + $8::float8 * interval '1 ms', $9)
    on conflict (consumer, position) do update set state = excluded.state, attempt = excluded.attempt,
      retry_at = excluded.retry_at, error = excluded.error, updated_at = now()`,
}

export interface FailedTry {
  record: LogRecord
  slot: number
  attempt: number
  error: unknown
  /** Until the next try; `null` when this was the last one. */
  waitMs: number | null
}

/** How long a record that failed waits for its next try, `null` when it has had its last. */
export function nextWaitMs(spec: ConsumerSpec, attempt: number): number | null {
  return attempt >= spec.attempts ? null : backoffMs(attempt, spec.backoff)
}

/** Records a failed try: the record waits, or it is a dead letter. */
export async function fail(
  tx: Transaction,
  consumer: string,
  { record, slot, attempt, error, waitMs }: FailedTry,
): Promise<void> {
  const state = waitMs === null ? 'dead' : 'retrying'
  const values = [
    consumer,
    record.position,
    slot,
    record.key,
    record.type,
    state,
    attempt,
    waitMs,
    JSON.stringify(errorRecord(error)),
  ]
  await tx.run(failStatement, values)
}

const doneStatement: Statement = {
  name: 'millrace-delivery-done',
  text: 'delete from millrace.deliveries where consumer = $1 and position = any($2::bigint[])',
}

/** A troubled delivery was handled after all. */
export async function done(tx: Transaction, consumer: string, positions: readonly number[]): Promise<void> {
  await tx.run(doneStatement, [consumer, positions])
}

const waitingStatement: Statement = {
  name: 'millrace-deliveries-waiting',
  text: `select position, key, slot, attempt,
      case when state = 'retrying' then greatest(0, extract(epoch from retry_at - now()) * 1000)::float8 end as "dueInMs"
    from millrace.deliveries where consumer = $1 and slot = any($2::smallint[]) and state <> 'dead' order by position`,
}

/** Everything that waits in the given slots, in order. */
export function waiting(store: Store, consumer: string, slots: readonly number[]): Promise<TroubledDelivery[]> {
  return store.run(waitingStatement, [consumer, slots])
}
