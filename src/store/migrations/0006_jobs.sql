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
