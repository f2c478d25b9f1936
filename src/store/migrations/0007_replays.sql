-- What operators see of failed deliveries and do about them.
alter table millrace.deliveries
  -- Consumer, type and error without what differs each time; null on what was never tried.
  add column signature text,
  -- The last failed tries: [{ at, attempt, code, message, member }, …].
  add column tries jsonb not null default '[]',
  add column first_failed_at timestamptz,
  add column last_failed_at timestamptz,
  add column redrives integer not null default 0,
  -- Grows with each change by hand: a try that began before it must not commit.
  add column change integer not null default 0,
  -- Of `data`, which stands in for the log's when it was edited.
  add column data_version smallint,
  add column edited_by text,
  add column edited_at timestamptz,
  add column edit_reason text;
create index deliveries_failed on millrace.deliveries (consumer, signature, position) where signature is not null;

-- The audit: who did what to deliveries, consumers and replays. A discarded delivery lives on here only.
create table millrace.interventions (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  by text not null,
  action text not null,
  consumer text not null,
  position bigint,
  type text,
  key text,
  reason text,
  what json
);
create index interventions_of on millrace.interventions (consumer, position);

-- A replay runs as a consumer of its own, named `replay:<id>`, with one slot: place, holder, retries and dead letters are
-- kept as those of any other. Its slot goes when it has ended, so that it keeps the log from nothing.
create table millrace.replays (
  id integer generated always as identity primary key,
  request text unique,
  consumer text not null references millrace.consumers on delete cascade,
  state text not null check (state in ('running', 'paused', 'stopped', 'done', 'cancelled')),
  from_position bigint not null,
  until_position bigint not null,
  correlation text,
  key text,
  type text,
  rate double precision,
  on_failure text not null check (on_failure in ('dead-letter', 'stop')),
  handled bigint not null default 0,
  -- Where it stands once it has ended and has no slot any more.
  ended_at_position bigint,
  -- Events and positions per second, as its process measured last.
  speed double precision not null default 0,
  pace double precision not null default 0,
  by text not null,
  reason text,
  started_at timestamptz not null default now(),
  -- Failures before this moment do not stop it.
  resumed_at timestamptz not null default now(),
  finished_at timestamptz
);
create index replays_at_work on millrace.replays (id) where state in ('running', 'paused', 'stopped');
