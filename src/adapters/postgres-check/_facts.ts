import type { QueryResultRow } from 'pg'

/** What a connection can ask of a server. */
export interface SqlClient {
  query<Row extends QueryResultRow>(text: string, values?: unknown[]): Promise<{ rows: Row[] }>
}

/** What decides whether a server suits us. */
export interface Facts extends QueryResultRow {
  version: string
  versionNumber: number
  standby: boolean
  readOnly: boolean
  encoding: string
  database: string
  role: string
  provider: Provider
  mayCreate: boolean
  mayReplicate: boolean
  walLevel: string
  maxSlots: number
  usedSlots: number
  ownSlot: boolean
  maxSenders: number
  usedSenders: number
  /** In megabytes; -1 without a bound. */
  slotKeepMb: number
  /** Inactive slots of others, with the bytes of log each keeps on the disk. */
  idleSlots: { name: string; bytes: number }[]
  fsync: string
  trigrams: boolean
}

/** Who runs the server, as far as its roles tell: each changes settings in a way of its own. */
export type Provider = 'self' | 'rds' | 'cloudsql' | 'azure'

const factsQuery = `
select
  current_setting('server_version') as version,
  current_setting('server_version_num')::int as "versionNumber",
  pg_is_in_recovery() as standby,
  current_setting('transaction_read_only')::bool as "readOnly",
  current_setting('server_encoding') as encoding,
  current_database() as database,
  current_user::text as role,
  case
    when exists (select from pg_roles where rolname = 'rds_superuser') then 'rds'
    when exists (select from pg_roles where rolname = 'cloudsqlsuperuser') then 'cloudsql'
    when exists (select from pg_roles where rolname = 'azure_pg_admin') then 'azure'
    else 'self'
  end as provider,
  has_database_privilege(current_database(), 'create') as "mayCreate",
  (select rolsuper or rolreplication from pg_roles where rolname = current_user)
    or exists (select from pg_roles where rolname = 'rds_replication' and pg_has_role(oid, 'member')) as "mayReplicate",
  current_setting('wal_level') as "walLevel",
  current_setting('max_replication_slots')::int as "maxSlots",
  (select count(*)::int from pg_replication_slots) as "usedSlots",
  exists (select from pg_replication_slots where slot_name = $1) as "ownSlot",
  current_setting('max_wal_senders')::int as "maxSenders",
  (select count(*)::int from pg_stat_replication) as "usedSenders",
  (select setting::int from pg_settings where name = 'max_slot_wal_keep_size') as "slotKeepMb",
  (select coalesce(jsonb_agg(jsonb_build_object('name', slot_name, 'bytes', bytes)), '[]')
    from (
      select slot_name, (case when pg_is_in_recovery() then 0 else pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) end)::bigint as bytes
      from pg_replication_slots
      where not active and restart_lsn is not null and slot_name is distinct from $1
      order by 2 desc
    ) as slots) as "idleSlots",
  current_setting('fsync') as fsync,
  exists (select from pg_available_extensions where name = 'pg_trgm') as trigrams`

/** Asks everything in one round trip. Every part is open to a role without any privilege. */
export async function readFacts(client: SqlClient, slot: string | undefined): Promise<Facts> {
  const { rows } = await client.query<Facts>(factsQuery, [slot ?? null])
  const [facts] = rows
  if (facts === undefined) throw new Error('the server gave no answer to a query that has one row')
  return facts
}
