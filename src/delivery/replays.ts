import { PlatformError } from '../kernel/errors.ts'
import type { Statement } from '../store/sql.ts'
import type { Store, Transaction } from '../store/store.ts'
import { note, type Signature, setPaused, tell } from './interventions.ts'
import type { ReplayFilter } from './replay-filter.ts'
import { replayConsumer } from './replay-name.ts'

/** What a replay is to do. */
export interface ReplayOrder extends ReplayFilter {
  readonly consumer: string
  /** Events per second; `null` without a limit. */
  readonly rate: number | null
  readonly onFailure: 'dead-letter' | 'stop'
  /** Names this order: given again, it starts nothing. */
  readonly request: string | null
}

export type ReplayState = 'running' | 'paused' | 'stopped' | 'done' | 'cancelled'

/** A replay as stored. */
export interface StoredReplay extends ReplayOrder {
  readonly id: number
  readonly state: ReplayState
}

const startStatement: Statement = {
  name: 'millrace-start-replay',
  text: `insert into millrace.replays (request, consumer, state, from_position, until_position, correlation, key, type, rate, on_failure, by, reason)
    values ($1, $2, 'running', $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (request) do nothing returning id`,
}
const requestedStatement: Statement = {
  name: 'millrace-requested-replay',
  text: 'select id, consumer from millrace.replays where request = $1',
}
const ownConsumerStatement: Statement = {
  name: 'millrace-replay-consumer',
  text: `with made as (insert into millrace.consumers (name, slots) values ($1, 1))
    insert into millrace.consumer_slots (consumer, slot, position) select $1, 0, $2::bigint`,
}

/**
 * Starts a replay, or finds the one that this request started. Returns its id.
 * @throws CONFLICT when the request started one of another consumer
 */
export async function startReplay(tx: Transaction, order: ReplayOrder, signed: Signature): Promise<number> {
  const { request, consumer, fromPosition, untilPosition, correlation, key, type, rate, onFailure } = order
  const filter = [correlation, key, type]
  const values = [request, consumer, fromPosition, untilPosition, ...filter, rate, onFailure, signed.by, signed.reason]
  const [started] = await tx.run<{ id: number }>(startStatement, values)
  if (started === undefined) {
    const [known] = await tx.run<{ id: number; consumer: string }>(requestedStatement, [request])
    if (known?.consumer === consumer) return known.id
    throw new PlatformError('CONFLICT', `the request "${request}" started a replay to ${known?.consumer}`)
  }
  const own = replayConsumer(started.id)
  // The slot refers to the consumer made by the same statement, which is checked at its end.
  await tx.run(ownConsumerStatement, [own, fromPosition - 1])
  await note(tx, 'replay', own, signed)
  await tell(tx, [own])
  return started.id
}

const atWorkStatement: Statement = {
  name: 'millrace-replays-at-work',
  text: `select id, request, consumer, state, from_position as "fromPosition", until_position as "untilPosition", correlation, key, type,
      rate, on_failure as "onFailure" from millrace.replays where state in ('running', 'paused', 'stopped') order by id`,
}

/** The replays that have not ended. */
export function replaysAtWork(store: Store): Promise<StoredReplay[]> {
  return store.run(atWorkStatement)
}

const moveStatement: Statement = {
  name: 'millrace-move-replay',
  text: `update millrace.replays set state = $2, resumed_at = case when $2 = 'running' then now() else resumed_at end,
      finished_at = case when $2 = 'cancelled' then now() end, speed = 0, pace = 0
    where id = $1 and state = any($3::text[]) returning id`,
}
const stateStatement: Statement = {
  name: 'millrace-replay-state',
  text: 'select state from millrace.replays where id = $1',
}

async function move(tx: Transaction, id: number, to: ReplayState, from: readonly ReplayState[]): Promise<void> {
  if ((await tx.run(moveStatement, [id, to, from])).length > 0) return
  const [row] = await tx.run<{ state: ReplayState }>(stateStatement, [id])
  if (row === undefined) throw new PlatformError('NOT_FOUND', `there is no replay ${id}`)
  if (row.state !== to) throw new PlatformError('CONFLICT', `replay ${id} is ${row.state}`)
}

/** What is under way is finished; nothing is lost. */
export async function pauseReplay(tx: Transaction, id: number, signed: Signature): Promise<void> {
  await move(tx, id, 'paused', ['running', 'stopped'])
  await setPaused(tx, replayConsumer(id), true)
  await note(tx, 'pause-replay', replayConsumer(id), signed)
}

/** Goes on with one that was paused or that a failure stopped. */
export async function resumeReplay(tx: Transaction, id: number, signed: Signature): Promise<void> {
  await move(tx, id, 'running', ['paused', 'stopped'])
  await setPaused(tx, replayConsumer(id), false)
  await note(tx, 'resume-replay', replayConsumer(id), signed)
}

const forgetStatement: Statement = {
  name: 'millrace-cancel-replay',
  text: `with place as (
      delete from millrace.consumer_slots where consumer = $1 returning position
    ), waiting as (
      delete from millrace.deliveries where consumer = $1 and state <> 'dead'
    )
    update millrace.replays set ended_at_position = place.position from place where id = $2`,
}

/** Ends it for good: once this commits, nothing more of it happens. Dead letters stay. */
export async function cancelReplay(tx: Transaction, id: number, signed: Signature): Promise<void> {
  await move(tx, id, 'cancelled', ['running', 'paused', 'stopped'])
  await tx.run(forgetStatement, [replayConsumer(id), id])
  await note(tx, 'cancel-replay', replayConsumer(id), signed)
  await tell(tx, [replayConsumer(id)])
}

const slotAgainStatement: Statement = {
  name: 'millrace-reopen-replay',
  text: `insert into millrace.consumer_slots (consumer, slot, position)
    select $1, 0, coalesce(ended_at_position, until_position) from millrace.replays where id = $2 on conflict do nothing`,
}

/**
 * Takes up a replay again whose dead letters were redriven.
 * @throws CONFLICT when it was cancelled
 */
export async function reopenReplay(tx: Transaction, id: number): Promise<void> {
  const [row] = await tx.run<{ state: ReplayState }>(stateStatement, [id])
  if (row?.state === 'paused' || row?.state === 'running') return
  await move(tx, id, 'running', ['done', 'stopped'])
  await tx.run(slotAgainStatement, [replayConsumer(id), id])
  await setPaused(tx, replayConsumer(id), false)
}

const endStatement: Statement = {
  name: 'millrace-end-replay',
  text: `with ended as (
      update millrace.replays r set state = 'done', finished_at = now(), ended_at_position = until_position, speed = 0, pace = 0
       where id = $1 and state = 'running'
         and exists (select from millrace.consumer_slots s where s.consumer = $2 and s.position >= r.until_position)
         and not exists (select from millrace.deliveries d where d.consumer = $2 and d.state <> 'dead')
      returning id
    ), gone as (
      delete from millrace.consumer_slots where consumer = $2 and exists (select from ended)
    )
    select id from ended`,
}

/** Ends a replay that has passed its end and has nothing waiting. Says whether it did. */
export async function endReplay(store: Store, id: number): Promise<boolean> {
  return (await store.run(endStatement, [id, replayConsumer(id)])).length > 0
}

const stopStatement: Statement = {
  name: 'millrace-stop-replay',
  text: `update millrace.replays r set state = 'stopped', speed = 0, pace = 0
    where id = $1 and state = 'running' and exists (
      select from millrace.deliveries d where d.consumer = $2 and d.state = 'dead' and d.last_failed_at > r.resumed_at)
    returning id`,
}

/** Stops a replay in which an event has failed all its tries since it was resumed. Says whether it did. */
export async function stopFailedReplay(store: Store, id: number): Promise<boolean> {
  return store.transaction(async (tx) => {
    const stopped = (await tx.run(stopStatement, [id, replayConsumer(id)])).length > 0
    if (stopped) await setPaused(tx, replayConsumer(id), true)
    return stopped
  })
}

const troubledStatement: Statement = {
  name: 'millrace-replay-troubled',
  text: `select exists (select from millrace.deliveries d, millrace.replays r where r.id = $1 and d.consumer = $2
      and (d.state <> 'dead' or d.last_failed_at > r.resumed_at)) as troubled`,
}

/** Whether something of a replay waits, or has failed since it was resumed. */
export async function isTroubled(store: Store, id: number): Promise<boolean> {
  const [row] = await store.run<{ troubled: boolean }>(troubledStatement, [id, replayConsumer(id)])
  return row?.troubled === true
}

const countStatement: Statement = {
  name: 'millrace-count-replayed',
  text: `update millrace.replays set handled = handled + $2 where id = $1 and state <> 'cancelled' and state <> 'done' returning id`,
}

/**
 * Counts handled events in the transaction of their effects.
 * @throws LEASE_LOST when the replay was cancelled: their effects must not commit
 */
export async function countReplayed(tx: Transaction, id: number, events: number): Promise<void> {
  if ((await tx.run(countStatement, [id, events])).length > 0) return
  throw new PlatformError('LEASE_LOST', `replay ${id} was cancelled`)
}

const paceStatement: Statement = {
  name: 'millrace-replay-pace',
  text: `update millrace.replays set speed = $2, pace = $3 where id = $1 and state = 'running'`,
}

/** Keeps how fast a replay goes, in events and in positions per second. */
export async function keepPace(store: Store, id: number, speed: number, pace: number): Promise<void> {
  await store.run(paceStatement, [id, speed, pace])
}
