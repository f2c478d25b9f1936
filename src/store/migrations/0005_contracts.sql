-- Every contract of an event that was ever declared here: what the data in the log may look like. A row never changes; a
-- changed schema is a new row, under its version or a new one.
create table millrace.contracts (
  id integer generated always as identity primary key,
  event text not null,
  version smallint not null,
  checksum text not null,
  -- Of `schema`: json (JSON Schema), protobuf.
  format text not null,
  -- Null where the declaration has none that can be read.
  schema json,
  -- What it was held to when it was registered. `none` begins anew: nothing before it is compared any more.
  compatibility text not null,
  registered_at timestamptz not null default now(),
  registered_by text not null,
  unique (event, version, checksum)
);
