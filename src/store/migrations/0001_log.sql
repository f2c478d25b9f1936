-- The log, its order, and who reads how far. Everything lives in the schema `millrace`.

-- Who is alive: one heartbeat row per process. All leases and slots of a process stand and fall with its row.
create table millrace.members (
  id uuid primary key,
  app text not null,
  name text not null,
  started_at timestamptz not null default now(),
  until timestamptz not null,
  -- The consumers it runs: slots are shared out among those only.
  consumers text[] not null default '{}'
);

-- One holder at a time for each named duty. The epoch fences: it grows with every change of holder.
create table millrace.leases (
  name text primary key,
  owner uuid,
  epoch bigint not null default 0
);

-- Published events and captured changes. Rows never change. `ordinal` orders the rows of one tick; a writer that holds a
-- lock while it writes (a row of a stream, say) takes its ordinal under that lock. A row takes its transaction's id before
-- its ordinal (columns are filled in this order): the retention relies on it. The one index serves the sequencer and all
-- readers; each index less makes publishing a tenth faster.
create sequence millrace.event_ordinals;
create table millrace.events (
  xid xid8 not null default pg_current_xact_id(),
  ordinal bigint not null default nextval('millrace.event_ordinals'),
  id uuid not null,
  type text not null,
  version smallint not null,
  key text,
  data json not null,
  meta json,
  at timestamptz not null default now()
) partition by range (ordinal);
create index events_by_xid on millrace.events (xid, ordinal);

-- The order of the log. A tick gives the committed events that no earlier tick saw the positions base + 1 … base + count,
-- by ordinal. They are the rows of transactions from `since` on that `snap` sees, between `fresh_lo` and `hi`, and those of
-- the transactions in `late`, between `lo` and `hi`.
create table millrace.ticks (
  base bigint primary key,
  count integer not null check (count > 0),
  lo bigint not null,
  hi bigint not null,
  fresh_lo bigint,
  since xid8 not null,
  snap pg_snapshot not null,
  late xid8[],
  at timestamptz not null default clock_timestamp()
) partition by range (base);

-- What the retention keeps of positions whose partition is gone: the last event of each key of compacted types, the
-- events of streams, and what was restored from an archive.
create table millrace.kept (
  position bigint primary key,
  ordinal bigint not null,
  id uuid not null,
  type text not null,
  version smallint not null,
  key text,
  data json not null,
  meta json,
  at timestamptz not null,
  restored boolean not null default false
);
create index kept_by_ordinal on millrace.kept (ordinal);
create index kept_by_key on millrace.kept (type, key);

-- The partitions of `events` (by ordinal) and of `ticks` (by base), `lo` included, `hi` not. One is made before it is
-- needed; an event that finds none is refused, so there are always several to spare.
create table millrace.partitions (
  parent text not null check (parent in ('events', 'ticks')),
  lo bigint not null,
  hi bigint not null,
  made_at timestamptz not null default now(),
  -- Set when no ordinal of it can be given out any more: the first transaction id that had none of them.
  full_at xid8,
  -- Set when no event of it is without a position any more: everything in it stands at or below, and since when.
  last_position bigint,
  last_at timestamptz,
  primary key (parent, lo)
);

-- Makes partitions of `size` until `ahead` of them lie beyond what is in use. Attaching one blocks neither writers nor
-- readers.
create function millrace.make_partitions(which text, used bigint, size bigint, ahead integer) returns integer
language plpgsql as $$
declare
  made integer := 0;
  from_here bigint;
  name text;
begin
  perform pg_advisory_xact_lock(6411904219);
  loop
    select coalesce(max(hi), 0) into from_here from millrace.partitions where parent = which;
    exit when from_here > used + size * ahead;
    name := which || '_' || from_here;
    execute format('create table millrace.%I (like millrace.%I including defaults including constraints)', name, which);
    execute format('alter table millrace.%I attach partition millrace.%I for values from (%s) to (%s)',
      which, name, from_here, from_here + size);
    insert into millrace.partitions (parent, lo, hi) values (which, from_here, from_here + size);
    made := made + 1;
  end loop;
  return made;
end $$;
select millrace.make_partitions('events', 0, 5000000, 3), millrace.make_partitions('ticks', 0, 5000000, 3);

create table millrace.sequencer (
  only_row boolean primary key default true check (only_row),
  head bigint not null default 0,
  snap pg_snapshot not null default pg_current_snapshot(),
  -- No event of a lower ordinal is without a position: spares the sequencer the older partitions.
  floor bigint not null default 0,
  -- Up to here the log is gone but for what `kept` has of it.
  tail bigint not null default 0
);
insert into millrace.sequencer default values;

-- A consumer's keys hash to fixed slots; each slot has its own place in the log and its own holder.
create table millrace.consumers (
  name text primary key,
  slots smallint not null,
  paused boolean not null default false,
  created_at timestamptz not null default now()
);
create table millrace.consumer_slots (
  consumer text not null references millrace.consumers on delete cascade,
  slot smallint not null,
  position bigint not null,
  owner uuid,
  epoch bigint not null default 0,
  updated_at timestamptz not null default now(),
  primary key (consumer, slot)
) with (fillfactor = 50);

-- Deliveries in trouble only: waiting for a retry, held behind one of their key, or dead.
create table millrace.deliveries (
  consumer text not null references millrace.consumers on delete cascade,
  position bigint not null,
  slot smallint not null,
  key text,
  type text not null,
  state text not null check (state in ('retrying', 'held', 'dead')),
  attempt integer not null default 0,
  retry_at timestamptz,
  error json,
  data json,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (consumer, position)
);
create index deliveries_waiting on millrace.deliveries (consumer, slot, position) where state <> 'dead';
create index deliveries_dead on millrace.deliveries (consumer, position) where state = 'dead';

-- When each follower passed which stretch of the log; the journey of a change is read from here. Kept for a while only
-- and worth nothing after a crash, hence unlogged.
create unlogged table millrace.passages (
  follower text not null,
  member text not null,
  first bigint not null,
  last bigint not null,
  outcome text not null,
  started_at timestamptz not null,
  done_at timestamptz not null
);
create index passages_by_last on millrace.passages (follower, last);
create index passages_by_age on millrace.passages using brin (done_at);

-- Gives every event that committed since the last tick its position, and says the new head (null when nothing was new).
-- New are: rows of transactions that the last tick's snapshot had not reached (xid >= its xmax), and rows of those that
-- were running then and have ended since ("late"). Events of a transaction that is still open wait in the snapshot and
-- delay nobody.
--
-- Rules that make this right, whoever calls it and however often at once:
-- * The advisory lock is transaction-scoped and taken first; each statement of a volatile function has its own snapshot.
-- * The snapshot of the main statement is taken before this transaction gets an id of its own, so no later transaction,
--   not even after a crash, has an id below the xmax that is saved.
-- * An xmax is the last *ended* id + 1: transactions at or above it may be running and may have taken low ordinals. So
--   new rows are found by id, never by "ordinal above the last one seen".
-- * The plan is kept, and was made when the log was small: anything but index scans and nested loops would come to read
--   all of the log for one late transaction.
-- * Long ticks are cut into rows of at most `chunk` events, so that a reader never has to take a giant at once.
create function millrace.tick(chunk integer) returns bigint language plpgsql volatile
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  new_head bigint;
begin
  perform pg_advisory_xact_lock(6411904218);
  with st as materialized (
    select head, snap, pg_snapshot_xmax(snap) as since, floor from millrace.sequencer
  ), cur as materialized (
    select pg_current_snapshot() as snap
  ), late as materialized (
    select x.xid from st, lateral pg_snapshot_xip(st.snap) as x(xid), cur where pg_visible_in_snapshot(x.xid, cur.snap)
  ), fresh as (
    select e.ordinal, null::xid8 as late from st join millrace.events e on e.xid >= st.since and e.ordinal >= st.floor
    union all
    select e.ordinal, e.xid from late, st, millrace.events e where e.xid = late.xid and e.ordinal >= st.floor
  ), ranked as (
    select ordinal, late, row_number() over (order by ordinal) - 1 as rank from fresh
  ), chunks as (
    select min(rank) as first, count(*) as count, min(ordinal) as lo, max(ordinal) as hi,
           min(ordinal) filter (where late is null) as fresh_lo,
           array_agg(distinct late) filter (where late is not null) as late
      from ranked group by rank / chunk
  ), made as (
    insert into millrace.ticks (base, count, lo, hi, fresh_lo, since, snap, late)
    select st.head + c.first, c.count, c.lo, c.hi, c.fresh_lo, st.since, cur.snap, c.late from chunks c, st, cur
    returning count
  )
  update millrace.sequencer s set head = s.head + m.total, snap = cur.snap
    from cur, (select sum(count) as total from made) m where m.total > 0
    returning s.head into new_head;
  if new_head is not null then
    perform pg_notify('millrace', new_head::text);
  end if;
  return new_head;
end $$;
