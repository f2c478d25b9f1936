import type { Statement } from '../store/sql.ts'
import type { Store } from '../store/store.ts'

/** A partition of the events that receives nothing any more, and the last position of what is in it. */
export interface FullPartition {
  /** Its first ordinal, which also names it. */
  readonly lo: number
  readonly hi: number
  /** Every event in it has a position up to here; so have some at the beginning of the next. */
  readonly lastPosition: number
  /** Since its last event got its position. */
  readonly ageMs: number
}

/** How many partitions lie ready beyond the one in use. */
const ahead = 3

const makeStatement: Statement = {
  name: 'millrace-make-partitions',
  text: `select millrace.make_partitions('events', (select last_value from millrace.event_ordinals), $1, $2)
              + millrace.make_partitions('ticks', (select head from millrace.sequencer), $1, $2) as made`,
}

/** Makes partitions before they are needed; returns how many. */
export async function makePartitions(store: Store, size: number): Promise<number> {
  const [row] = await store.run<{ made: number }>(makeStatement, [size, ahead])
  return row?.made ?? 0
}

const closeStatement: Statement = {
  name: 'millrace-close-partition',
  text: `select setval('millrace.event_ordinals', p.hi - 1) from millrace.partitions p, millrace.event_ordinals s
    where p.parent = 'events' and s.is_called and s.last_value >= p.lo and s.last_value < p.hi - (p.hi - p.lo) / 10
      and (select e.at from millrace.events e where e.ordinal >= p.lo and e.ordinal < p.hi
            order by e.xid, e.ordinal limit 1) < now() - $1::float8 * interval '1 ms'`,
}

/**
 * Closes the partition in use when its first event is older than `everyMs`: the sequence jumps to the next one. A gap in
 * ordinals is no gap in positions. One that is nearly full is left: writers go on taking ordinals meanwhile, and the
 * sequence must never go back.
 */
export async function closeOldPartition(store: Store, everyMs: number): Promise<void> {
  await store.run(closeStatement, [everyMs])
}

const markStatement: Statement = {
  name: 'millrace-mark-full-partitions',
  // The ordinals first, then an id: a transaction with a later id has taken none of them.
  text: `with used as materialized (select last_value from millrace.event_ordinals),
      mark as materialized (select pg_current_xact_id() as xid from used)
    update millrace.partitions p set full_at = mark.xid from used, mark
     where p.parent = 'events' and p.full_at is null and p.hi <= used.last_value + 1`,
}

const endStatement: Statement = {
  name: 'millrace-end-partitions',
  text: `with s as (select pg_snapshot_xmin(snap) as xmin, tail from millrace.sequencer),
    next as (
      select p.lo, p.hi, coalesce((select max(last_position) from millrace.partitions where parent = 'events'), s.tail) as before
        from millrace.partitions p, s
       where p.parent = 'events' and p.last_position is null and p.full_at <= s.xmin order by p.lo limit 1
    ), ended as (
      update millrace.partitions p set last_position = greatest(n.before, t.position), last_at = coalesce(t.at, now())
        from next n, lateral (
          select max(base + count) as position, max(at) as at from millrace.ticks where base >= n.before and lo < n.hi) t
       where p.parent = 'events' and p.lo = n.lo returning p.hi
    )
    update millrace.sequencer set floor = greatest(floor, ended.hi) from ended returning floor`,
}

/**
 * Finds out which partitions receive nothing any more, and spares the sequencer those: full ones, once every transaction
 * that may have an ordinal in them has ended and been sequenced.
 */
export async function markFullPartitions(store: Store): Promise<void> {
  await store.run(markStatement)
  while ((await store.run(endStatement)).length > 0);
}

const fullStatement: Statement = {
  name: 'millrace-full-partition',
  text: `select lo, hi, last_position as "lastPosition", extract(epoch from now() - last_at)::float8 * 1000 as "ageMs"
    from millrace.partitions where parent = 'events' and last_position is not null order by lo limit 1`,
}

/** The oldest partition, if it is full. */
export async function oldestFullPartition(store: Store): Promise<FullPartition | undefined> {
  return (await store.run<FullPartition>(fullStatement))[0]
}
