-- Which indexes live in this database, as what, and below which position of the log nothing of them is shown any more.
create table millrace.search_indexes (
  name text primary key,
  hash text not null,
  table_name text not null,
  floor bigint not null default 0,
  created_at timestamptz not null default now()
);
