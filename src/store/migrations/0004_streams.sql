-- Streams: events that are state. They stand in the one log like all others; here is which revision of which stream an
-- event is, and how far each stream has come.

create table millrace.streams (
  stream text primary key,
  -- Of its last event; 0 for one that only was asked for.
  revision bigint not null default 0
) with (fillfactor = 70);

-- Points into the log by the columns of its index. What outlived its partition is found in `kept` by its ordinal.
create table millrace.stream_events (
  stream text not null,
  revision bigint not null,
  xid xid8 not null,
  ordinal bigint not null,
  primary key (stream, revision)
);

-- State by stream, one for each way to compute it: worth nothing but time.
create table millrace.snapshots (
  stream text not null,
  shape text not null,
  revision bigint not null,
  state json not null,
  primary key (stream, shape)
);

-- Appends to streams. One append is a stream, the revision it expects and its next `count` events; the events of all stand
-- in one list, in order. Expected is -1: any, -2: some event, 0: none, else exactly that many. An append whose
-- expectation does not hold writes nothing; with `atomic` none of them does then. The locks on the rows of `streams` are
-- taken in one order by everybody, and make revisions exact; ordinals are taken under them, so the log has the order of
-- the revisions. A stream may stand here once. Somebody's open transaction is waited for at most `patience_ms`, 0 for ever.
create function millrace.append_to_streams(
  names text[], expects bigint[], counts integer[],
  ids uuid[], types text[], versions smallint[], datas json[], metas text[], atomic boolean, patience_ms integer)
returns table (nth integer, revision bigint, done boolean) language plpgsql
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
begin
  if patience_ms > 0 then
    perform set_config('lock_timeout', patience_ms::text, true);
  end if;
  insert into millrace.streams (stream) select s from unnest(names) s order by s on conflict do nothing;
  perform from millrace.streams where stream = any(names) order by stream for update;
  return query
  with a as materialized (
    select a.nth::integer, a.name, a.count, s.revision, a.from_here,
        case a.expect when -1 then true when -2 then s.revision > 0 else s.revision = a.expect end as holds
      from (select *, sum(count) over (order by nth) - count as from_here
              from unnest(names, expects, counts) with ordinality as a(name, expect, count, nth)) a
      join millrace.streams s on s.stream = a.name
  ), chosen as materialized (
    select * from a where holds and not (atomic and exists (select from a where not holds))
  ), fresh as materialized (
    select c.nth, c.name, c.revision + i.i as revision, e.*
      from chosen c, generate_series(1, c.count) as i(i),
        lateral (select ids[c.from_here + i.i] as id, types[c.from_here + i.i] as type, versions[c.from_here + i.i] as version,
                        datas[c.from_here + i.i] as data, metas[c.from_here + i.i] as meta) e
     order by c.nth, i.i
  ), logged as (
    -- The time is taken under the lock as well: it grows with the revision.
    insert into millrace.events (id, type, version, key, data, meta, at)
    select id, type, version, name, data,
        (case when meta is null then '{' else left(meta, -1) || ',' end || '"revision":' || revision || '}')::json,
        clock_timestamp()
      from fresh order by nth, revision
    returning xid, ordinal, id
  ), pointed as (
    insert into millrace.stream_events (stream, revision, xid, ordinal)
    select f.name, f.revision, l.xid, l.ordinal from logged l join fresh f on f.id = l.id
  ), moved as (
    update millrace.streams s set revision = s.revision + c.count from chosen c where s.stream = c.name
  )
  select a.nth, case when c.nth is null then a.revision else a.revision + a.count end, c.nth is not null
    from a left join chosen c on c.nth = a.nth order by a.nth;
end $$;

-- Which generation of a projection its view shows, and which one is being built beside it. The table of generation n is
-- `<name>_<n>`, its consumer `projection:<name>:<n>`.
create table millrace.projections (
  name text primary key,
  live integer,
  live_version integer,
  building integer,
  building_version integer,
  building_since timestamptz,
  live_since timestamptz
);

-- For a log that was restored into another server, whose transaction ids do not continue those of the old one. From now on
-- the sequencer looks only at what is written from here on; what had no position yet is written again. Returns how many
-- events those were. Nobody else may be using the log.
create function millrace.continue_after_restore() returns bigint language plpgsql as $$
declare
  before pg_snapshot;
  edge bigint;
  again bigint;
begin
  perform pg_advisory_xact_lock(6411904218);
  select snap into before from millrace.sequencer for update;
  select last_value + 1 into edge from millrace.event_ordinals;
  update millrace.sequencer set snap = pg_current_snapshot(), floor = edge;
  with written as (
    insert into millrace.events (id, type, version, key, data, meta, at)
    select id, type, version, key, data, meta, at from millrace.events
     where ordinal < edge and not pg_visible_in_snapshot(xid, before) order by ordinal
    returning xid, ordinal, id
  ), pointed as (
    update millrace.stream_events p set xid = w.xid, ordinal = w.ordinal
      from written w join millrace.events e on e.id = w.id where p.xid = e.xid and p.ordinal = e.ordinal
  )
  select count(*) into again from written;
  delete from millrace.events where ordinal < edge and not pg_visible_in_snapshot(xid, before);
  return again;
end $$;
