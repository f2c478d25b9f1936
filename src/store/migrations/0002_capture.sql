-- Change capture: how far each replication slot has been read into the log, and the tables it brings.

-- Everything that committed before `position` is in the log; so are the first `partial_changes` changes of the transaction
-- that committed at `partial_lsn`. Written in the transaction that appends; the slot is confirmed up to `position` after
-- that, hence never beyond it. A slot that stands further on has lost changes for us.
create table millrace.captures (
  name text primary key,
  system_identifier text not null,
  position pg_lsn not null,
  partial_lsn pg_lsn,
  partial_changes bigint,
  updated_at timestamptz not null default now(),
  check ((partial_lsn is null) = (partial_changes is null))
);

-- `snapshot` is what the copy of the table saw: transactions it saw are skipped in the stream.
create table millrace.captured_tables (
  capture text not null,
  name text not null,
  state text not null check (state in ('waiting', 'done', 'dropped')),
  -- The log has changes of it from before, so a copy must begin with its end.
  captured_before boolean not null default false,
  snapshot pg_snapshot,
  lsn pg_lsn,
  rows_done bigint not null default 0,
  updated_at timestamptz not null default now(),
  primary key (capture, name),
  check (state <> 'done' or snapshot is not null)
);
