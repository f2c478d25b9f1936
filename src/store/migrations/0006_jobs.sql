-- What waits for its time or its worker: scheduled events, ids that publishers gave, schedules, jobs.

-- Published for later. Moved into the log when due: deleted here and inserted there in one statement.
create table millrace.scheduled (
  id uuid primary key,
  due_at timestamptz not null,
  -- Keeps the order of publishing among those due at once.
  ordinal bigint generated always as identity,
  type text not null,
  version smallint not null,
  key text,
  data json not null,
  meta json,
  -- Its row in `event_ids`, given up when it is cancelled.
  once uuid,
  created_at timestamptz not null default now()
);
create index scheduled_by_due on millrace.scheduled (due_at, ordinal);

-- Ids that publishers gave, hashed with the type. A second publish finds its row and stores nothing. One unique index must
-- see all of them, so this is no partitioned table: what has expired is deleted in batches (and taken over on sight).
create table millrace.event_ids (
  once uuid primary key,
  until timestamptz not null
);
create index event_ids_by_until on millrace.event_ids (until);

-- Jobs. A job is a row in exactly one of three tables: it waits in `jobs`, it is at work in `job_runs`, it is over in
-- `finished_jobs`. It moves by a delete here and an insert there in one statement, and is never updated in the first and
-- the last. Why, and not one table with a state:
-- * An update of a row that an index covers writes to every index of its table, and leaves a dead entry in each. Moving
--   costs the same and keeps `jobs` to what waits: its head is what is claimed next, however many are at work or done.
-- * `job_runs` is as small as what the fleet does at once, so takeover, keys at work and cancelling read a few pages. It
--   has room on its pages (fillfactor), so that progress and cancelling, which no index covers, are updated in place.
-- * Results are kept only where somebody asked for them, and pruned by time without touching what waits.
create table millrace.jobs (
  id uuid primary key,
  queue text not null,
  -- Higher goes first.
  priority smallint not null,
  run_at timestamptz not null,
  -- Tries so far.
  attempt integer not null default 0,
  -- Jobs of one lane have a limit of their own across the fleet.
  lane text,
  unique_key text,
  data json not null,
  meta json,
  -- Of the last try.
  error json,
  added_at timestamptz not null
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
create index jobs_by_order on millrace.jobs (queue, priority desc, run_at, id);
create index jobs_by_lane on millrace.jobs (queue, lane, priority desc, run_at, id) where lane is not null;

-- `owner` is the member that works on it. When that is dead, or says at its end that it stops, the job goes back. A result
-- is taken only under the same owner and attempt: both change when the job is given to somebody else.
create table millrace.job_runs (
  id uuid primary key,
  queue text not null,
  priority smallint not null,
  run_at timestamptz not null,
  attempt integer not null,
  lane text,
  unique_key text,
  data json not null,
  meta json,
  error json,
  added_at timestamptz not null,
  owner uuid not null,
  started_at timestamptz not null,
  progress json,
  cancelled boolean not null default false
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
create index job_runs_by_lane on millrace.job_runs (queue, lane) where lane is not null;

-- Dead and cancelled ones keep their data, so that they can be tried again.
create table millrace.finished_jobs (
  id uuid primary key,
  queue text not null,
  state text not null check (state in ('done', 'dead', 'cancelled')),
  priority smallint not null,
  attempt integer not null,
  lane text,
  unique_key text,
  data json,
  meta json,
  result json,
  error json,
  added_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz not null,
  expires_at timestamptz not null
);
create index finished_jobs_by_expiry on millrace.finished_jobs (expires_at);
create index finished_jobs_in_trouble on millrace.finished_jobs (queue, id) where state <> 'done';

-- Unique keys of jobs that wait or are at work, and for a time after if the job says so (`until`).
create table millrace.job_keys (
  queue text not null,
  key text not null,
  job uuid not null,
  until timestamptz,
  primary key (queue, key)
);
create index job_keys_by_until on millrace.job_keys (until) where until is not null;

-- Gives up to `wants[i]` jobs of `queues[i]` to `claimer`, the highest priority first, then the longest due. With a limit
-- per lane (`limits[i]`), claims of a queue take turns, so that two never count the same room.
-- The plans are kept, and were made when the tables were small: hence no sequential scans. Each priority is looked up by
-- itself, so that delayed jobs of a higher one are not read through to reach a lower one.
-- With `known_*` (the number of a queue, a priority, a time) it looks only at those priorities and from those times on. That
-- is for when an old snapshot somewhere keeps Postgres from removing what was claimed: the head of the index is then full
-- of the dead, and whoever begins there reads them all, each time.
-- A claim need not survive a crash of Postgres: without it the job still waits. So its commit does not wait for the disk.
create function millrace.claim_jobs(claimer uuid, clock timestamptz, queues text[], wants integer[], limits integer[],
  known_queues integer[], known_levels smallint[], known_floors timestamptz[])
returns setof millrace.job_runs language plpgsql volatile
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = on as $$
#variable_conflict use_column
declare
  q text;
  want integer;
  got integer;
  most integer;
  level smallint;
  above smallint;
  floor timestamptz;
  nth integer;
  scan integer;
  seen integer;
  far boolean;
  picked uuid[];
begin
  perform set_config('synchronous_commit', 'off', true);
  for i in 1 .. coalesce(array_length(queues, 1), 0) loop
    q := queues[i]; want := wants[i]; most := limits[i]; above := null; far := false; nth := 0;
    if most is not null then
      perform pg_advisory_xact_lock(hashtextextended(q, 6411904221));
    end if;
    loop
      if known_queues is not null then
        nth := nth + 1;
        exit when nth > cardinality(known_queues);
        continue when known_queues[nth] <> i;
        level := known_levels[nth]; floor := known_floors[nth];
      else
        floor := '-infinity';
        if above is null then
          select j.priority into level from millrace.jobs j where j.queue = q order by j.priority desc limit 1;
        else
          select j.priority into level from millrace.jobs j where j.queue = q and j.priority < above order by j.priority desc limit 1;
        end if;
        exit when not found;
      end if;
      above := level;
      if most is null then
        return query
        with picked as (
          select j.ctid as place from millrace.jobs j
           where j.queue = q and j.priority = level and j.run_at <= clock and j.run_at >= floor
           order by j.priority desc, j.run_at, j.id limit want for update skip locked
        ), gone as (
          delete from millrace.jobs j using picked p where j.ctid = p.place returning j.*
        )
        insert into millrace.job_runs (id, queue, priority, run_at, attempt, lane, unique_key, data, meta, error, added_at, owner, started_at)
        select id, queue, priority, run_at, attempt + 1, lane, unique_key, data, meta, error, added_at, claimer, clock from gone
        returning *;
      else
        scan := 1000 + 4 * want;
        with head as (
          select j.id, j.lane, j.run_at from millrace.jobs j where j.queue = q and j.priority = level and j.run_at <= clock
           order by j.priority desc, j.run_at, j.id limit scan
        ), ranked as (
          select h.id, h.lane, h.run_at, row_number() over (partition by h.lane order by h.run_at, h.id) as place from head h
        ), fit as (
          select r.id, r.run_at from ranked r
           where r.lane is null
              or r.place <= most - (select count(*) from millrace.job_runs b where b.queue = q and b.lane = r.lane)
           order by r.run_at, r.id limit want
        )
        select array(select f.id from fit f), (select count(*) from head) into picked, seen;
        far := far or seen = scan;
        return query
        with fit as (
          select j.ctid as place from millrace.jobs j where j.id = any(picked) for update skip locked
        ), gone as (
          delete from millrace.jobs j using fit f where j.ctid = f.place returning j.*
        )
        insert into millrace.job_runs (id, queue, priority, run_at, attempt, lane, unique_key, data, meta, error, added_at, owner, started_at)
        select id, queue, priority, run_at, attempt + 1, lane, unique_key, data, meta, error, added_at, claimer, clock from gone
        returning *;
      end if;
      get diagnostics got = row_count;
      want := want - got;
      exit when want <= 0;
    end loop;
    -- Jobs of lanes without room fill the head: go from lane to lane instead. More lanes than are at work have room.
    if far and want > 0 then
      picked := array(
        with recursive lanes as (
          (select j.lane, 1 as nth from millrace.jobs j where j.queue = q and j.lane is not null order by j.lane limit 1)
          union all
          select (select j.lane from millrace.jobs j where j.queue = q and j.lane > l.lane order by j.lane limit 1), l.nth + 1
            from lanes l
           where l.lane is not null
             and l.nth < want + 1000 + (select count(*) from millrace.job_runs b where b.queue = q)
        )
        select f.id from lanes l cross join lateral (
          select j.id, j.priority, j.run_at from millrace.jobs j
           where j.queue = q and j.lane = l.lane and j.run_at <= clock
           order by j.priority desc, j.run_at, j.id
           limit greatest(0, most - (select count(*) from millrace.job_runs b where b.queue = q and b.lane = l.lane))) f
         where l.lane is not null order by f.priority desc, f.run_at, f.id limit want);
      return query
      with fit as (
        select j.ctid as place from millrace.jobs j where j.id = any(picked) for update skip locked
      ), gone as (
        delete from millrace.jobs j using fit f where j.ctid = f.place returning j.*
      )
      insert into millrace.job_runs (id, queue, priority, run_at, attempt, lane, unique_key, data, meta, error, added_at, owner, started_at)
      select id, queue, priority, run_at, attempt + 1, lane, unique_key, data, meta, error, added_at, claimer, clock from gone
      returning *;
    end if;
  end loop;
end $$;

-- When the next delayed job of the queues is due.
create function millrace.next_job_at(queues text[], clock timestamptz) returns timestamptz language plpgsql stable
set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  q text;
  level smallint;
  above smallint;
  due timestamptz;
  first timestamptz;
begin
  foreach q in array queues loop
    above := null;
    loop
      if above is null then
        select j.priority into level from millrace.jobs j where j.queue = q order by j.priority desc limit 1;
      else
        select j.priority into level from millrace.jobs j where j.queue = q and j.priority < above order by j.priority desc limit 1;
      end if;
      exit when not found;
      above := level;
      select j.run_at into due from millrace.jobs j where j.queue = q and j.priority = level and j.run_at > clock
       order by j.run_at limit 1;
      first := least(first, due);
      due := null;
    end loop;
  end loop;
  return first;
end $$;

-- Schedules. The rule stands here, so that any process can tell the next time. One fires while a living process runs it.
create table millrace.schedules (
  name text primary key,
  -- A cron pattern, or a period in milliseconds counted from `anchor_at`.
  cron text,
  every_ms bigint,
  anchor_at timestamptz not null,
  time_zone text not null,
  missed text not null check (missed in ('skip', 'once', 'all')),
  -- Null when it never comes again.
  next_at timestamptz,
  last_at timestamptz,
  fired bigint not null default 0,
  paused boolean not null default false,
  check ((cron is null) <> (every_ms is null))
);
