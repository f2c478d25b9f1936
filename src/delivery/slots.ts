import { positionBefore } from '../events/position-at.ts'
import type { LogRecord } from '../events/record.ts'
import { PlatformError } from '../kernel/errors.ts'
import { alive, type Member } from '../store/member.ts'
import type { Statement } from '../store/sql.ts'
import type { Store } from '../store/store.ts'
import type { ResolvedOnOptions } from './on-options.ts'

/** Slots of a new consumer: the most processes that can share it. */
export const defaultSlots = 16

/** A part of a consumer's keys, with its own place in the log, held by one process. */
export interface Slot {
  readonly slot: number
  readonly epoch: number
  position: number
  /** Holders that died, one after another, before they got beyond `suspectUntil`. */
  readonly crashes: number
  /** Up to here reaches what the last of them can have had in hand. */
  readonly suspectUntil: number
}

/** The slot of a key: FNV-1a over its UTF-16 units. Events without a key are spread by position. */
export function slotOf(record: Pick<LogRecord, 'key' | 'position'>, slots: number): number {
  if (record.key === null) return record.position % slots
  let hash = 0x811c9dc5
  for (let i = 0; i < record.key.length; i += 1) hash = Math.imul(hash ^ record.key.charCodeAt(i), 0x01000193)
  return (hash >>> 0) % slots
}

const registerStatement: Statement = {
  name: 'millrace-register',
  text: `with made as (
      insert into millrace.consumers (name, slots) values ($1, $2) on conflict (name) do nothing returning name, slots
    ), first as (
      insert into millrace.consumer_slots (consumer, slot, position)
      select name, s, coalesce($3, (select head from millrace.sequencer)) from made, generate_series(0, slots - 1) s
    )
    select slots from made union all select slots from millrace.consumers where name = $1 limit 1`,
}
const knownStatement: Statement = {
  name: 'millrace-consumer-known',
  text: 'select slots from millrace.consumers where name = $1',
}

/** Makes the consumer known; a known one keeps its slots and places. Returns its number of slots. */
export async function registerConsumer(store: Store, name: string, start: ResolvedOnOptions['start']): Promise<number> {
  const [known] = await store.run<{ slots: number }>(knownStatement, [name])
  if (known !== undefined) return known.slots
  const place = await placeBefore(store, start)
  const look = () => store.run<{ slots: number }>(registerStatement, [name, defaultSlots, place])
  // A process that makes it known at the same moment is waited for, but its row is seen only by a later statement.
  const row = (await look())[0] ?? (await look())[0]
  if (row === undefined) throw new PlatformError('INTERNAL', `consumer ${name} could not be registered`)
  return row.slots
}

/** `null` stands for the head of the log. */
async function placeBefore(store: Store, start: ResolvedOnOptions['start']): Promise<number | null> {
  if (start === 'now') return null
  if (start === 'beginning') return 0
  return 'time' in start ? positionBefore(store, start.time) : start.position - 1
}

/** Positions that a process can have taken after its place: those of a batch, to the end of a tick. */
const mostInHand = 4000

// Whoever still stands as the holder of a slot that is free died: one that hands it on leaves none.
const claimStatement: Statement = {
  name: 'millrace-claim',
  text: `with live as (select count(*) as members from millrace.members where until > now() and $1 = any(consumers)),
    mine as (select count(*) as held from millrace.consumer_slots where consumer = $1 and owner = $2),
    free as (
      select s.slot from millrace.consumer_slots s
       where s.consumer = $1 and s.owner is distinct from $2 and (s.owner is null or not ${alive('s.owner')})
       order by s.slot
       limit greatest(0, ceil($3::numeric / greatest(1, (select members from live))) - (select held from mine))
       for update skip locked
    )
    update millrace.consumer_slots s set owner = $2, epoch = epoch + 1, updated_at = now(),
        crashes = case when s.owner is null then s.crashes when s.position < s.suspect_until then s.crashes + 1 else 1 end,
        suspect_until = case when s.owner is null then s.suspect_until
          else least(s.position + ${mostInHand}, (select head from millrace.sequencer)) end
      from free where s.consumer = $1 and s.slot = free.slot returning s.slot`,
}

/** Takes free slots, and those of the dead, up to a fair share among the living. */
export async function claimSlots(store: Store, member: Member, consumer: string, slots: number): Promise<void> {
  await store.run(claimStatement, [consumer, member.id, slots])
}

const heldStatement: Statement = {
  name: 'millrace-held',
  text: `select c.paused, c.revision, s.slot, s.position, s.epoch, s.crashes, s.suspect_until as "suspectUntil",
      m.members, m.expires_in::float8 as "expiresInMs"
    from (select count(*)::int as members, extract(epoch from min(until) filter (where id <> $2) - now()) * 1000 as expires_in
            from millrace.members where until > now() and $1 = any(consumers)) m, millrace.consumers c left join millrace.consumer_slots s on s.consumer = c.name and s.owner = $2
    where c.name = $1 order by s.slot`,
}

/** What a process holds of a consumer, as stored. */
export interface Held {
  slots: Slot[]
  /** Processes that run the consumer. */
  members: number
  /** When the first of the others counts as dead if it does not beat; `null` without others. */
  expiresInMs: number | null
  paused: boolean
  /** Grows when the consumer or its deliveries are changed by hand. */
  revision: number
}

/** The slots this process holds, with their stored places, and what was said to the consumer. */
export async function heldSlots(store: Store, member: Member, consumer: string): Promise<Held> {
  type Row = Omit<Held, 'slots'> & (Slot | { slot: null })
  const rows = await store.run<Row>(heldStatement, [consumer, member.id])
  const [first] = rows
  return {
    slots: rows.flatMap((row) => (row.slot === null ? [] : [slotIn(row)])),
    members: Math.max(1, first?.members ?? 1),
    expiresInMs: first?.expiresInMs ?? null,
    paused: first?.paused ?? false,
    revision: first?.revision ?? 0,
  }
}

function slotIn({ slot, position, epoch, crashes, suspectUntil }: Slot): Slot {
  return { slot, position, epoch, crashes, suspectUntil }
}

const releaseStatement: Statement = {
  name: 'millrace-release-slots',
  text: `update millrace.consumer_slots s set owner = null, position = greatest(s.position, g.position)
    from unnest($2::smallint[], $3::bigint[], $4::bigint[]) as g(slot, epoch, position)
    where s.consumer = $1 and s.slot = g.slot and s.epoch = g.epoch`,
}

/** Hands slots back, with the place up to which everything is done. */
export async function releaseSlots(store: Store, consumer: string, slots: readonly Slot[]): Promise<void> {
  if (slots.length === 0) return
  await store.run(releaseStatement, [
    consumer,
    slots.map((s) => s.slot),
    slots.map((s) => s.epoch),
    slots.map((s) => s.position),
  ])
}
