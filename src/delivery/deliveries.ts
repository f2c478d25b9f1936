import { readAt } from '../events/read.ts'
import type { LogRecord } from '../events/record.ts'
import { PlatformError } from '../kernel/errors.ts'
import type { Statement } from '../store/sql.ts'
import type { Store, Transaction } from '../store/store.ts'
import { errorSignature } from './error-signature.ts'
import { storedError } from './stored-error.ts'

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

/** Who tries: whoever holds the slot. */
const tryOf = `jsonb_build_object('at', clock_timestamp(), 'attempt', $7::int, 'code', $9::json->>'code',
    'message', left($9::json->>'message', 500), 'member', (select m.name from millrace.consumer_slots s
      join millrace.members m on m.id = s.owner where s.consumer = $1 and s.slot = $3))`
const failStatement: Statement = {
  name: 'millrace-fail-delivery',
  text: `insert into millrace.deliveries (consumer, position, slot, key, type, state, attempt, retry_at, error, signature, tries, first_failed_at, last_failed_at)
    values ($1, $2, $3, $4, $5, $6, $7, now() + $8::float8 * interval '1 ms', $9, $10, jsonb_build_array(${tryOf}), now(), now())
    on conflict (consumer, position) do update set state = excluded.state, attempt = excluded.attempt, retry_at = excluded.retry_at,
      error = excluded.error, signature = excluded.signature, tries = excluded.tries, last_failed_at = now(), updated_at = now()`,
}
const mostTries = 20
const failAgainStatement: Statement = {
  name: 'millrace-fail-delivery-again',
  text: `update millrace.deliveries set state = $6, attempt = $7, retry_at = now() + $8::float8 * interval '1 ms', error = $9, signature = $10,
      tries = case when jsonb_array_length(tries) < ${mostTries} then tries else tries - 0 end || jsonb_build_array(${tryOf}),
      first_failed_at = coalesce(first_failed_at, now()), last_failed_at = now(), updated_at = now()
    where consumer = $1 and position = $2 and change = $11 and slot = $3 and key is not distinct from $4 and type = $5 returning 1 as failed`,
}

export interface FailedTry {
  record: LogRecord | TroubledRecord
  slot: number
  attempt: number
  error: unknown
  /** Until the next try; `null` when this was the last one. */
  waitMs: number | null
}

/**
 * Records a failed try: the record waits, or it is a dead letter.
 * @throws LEASE_LOST when somebody changed the delivery by hand since the record was read
 */
export async function fail(
  tx: Transaction,
  consumer: string,
  { record, slot, attempt, error, waitMs }: FailedTry,
): Promise<void> {
  const state = waitMs === null ? 'dead' : 'retrying'
  const stored = storedError(error)
  const values = [
    consumer,
    record.position,
    slot,
    record.key,
    record.type,
    state,
    attempt,
    waitMs,
    JSON.stringify(stored),
    errorSignature(consumer, record.type, stored),
  ]
  if (!('change' in record)) await tx.run(failStatement, values)
  else if ((await tx.run(failAgainStatement, [...values, record.change])).length === 0)
    throw changedByHand(consumer, record.position)
}

/** An event that is tried again: what the log says, or what somebody made of it. */
export interface TroubledRecord extends LogRecord {
  /** Which changes by hand it knows of. */
  readonly change: number
}

const dataStatement: Statement = {
  name: 'millrace-delivery-data',
  text: `select data::text, data_version as version, change from millrace.deliveries where consumer = $1 and position = $2 and state <> 'dead'`,
}

/**
 * The record that a waiting delivery hands to its handler: with edited data where there is some.
 * @throws LEASE_LOST when somebody took the delivery away by hand
 */
export async function recordOf(store: Store, consumer: string, position: number): Promise<TroubledRecord> {
  const [[delivery], record] = await Promise.all([
    store.run<{ data: string | null; version: number | null; change: number }>(dataStatement, [consumer, position]),
    readAt(store, position),
  ])
  if (delivery === undefined) throw changedByHand(consumer, position)
  if (record === undefined)
    throw new PlatformError('INTERNAL', `event ${position} waits for a retry but is not in the log`)
  const { data, version, change } = delivery
  return { ...record, data: data ?? record.data, version: version ?? record.version, change }
}

const doneStatement: Statement = {
  name: 'millrace-delivery-done',
  text: `delete from millrace.deliveries d using unnest($2::bigint[], $3::int[]) as g(position, change)
    where d.consumer = $1 and d.position = g.position and d.change = g.change returning 1 as done`,
}

/**
 * Troubled deliveries were handled after all.
 * @throws LEASE_LOST when somebody changed one by hand since its record was read: its effects must not commit
 */
export async function done(tx: Transaction, consumer: string, records: readonly TroubledRecord[]): Promise<void> {
  const values = [consumer, records.map(({ position }) => position), records.map(({ change }) => change)]
  const gone = await tx.run(doneStatement, values)
  if (gone.length !== records.length) throw changedByHand(consumer, records[0]?.position ?? 0)
}

function changedByHand(consumer: string, position: number): PlatformError {
  return new PlatformError(
    'LEASE_LOST',
    `the delivery of event ${position} to ${consumer} was changed by hand meanwhile`,
  )
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
