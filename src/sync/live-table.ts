import type { TableDefinition } from '../events/table.ts'
import type { Statement } from '../store/sql.ts'
import type { Store } from '../store/store.ts'
import { type TableName, tableName } from './table-name.ts'

/** A table as it stands in Postgres. */
export interface LiveTable {
  readonly name: TableName
  readonly oid: number
  /** An ordinary or partitioned table whose rows are in the write-ahead log. */
  readonly logged: boolean
  /** What it is otherwise: `view`, `foreign table`, `unlogged table` … */
  readonly kind: string
  /** Its rows lie in partitions. */
  readonly partitioned: boolean
  /** Columns of the primary key in its order; empty without one. */
  readonly primaryKey: readonly string[]
  /** `d` primary key, `f` whole row, `n` nothing, `i` an index; of partitions the weakest. */
  readonly replicaIdentities: readonly string[]
  readonly columns: ReadonlyMap<string, LiveColumn>
}

export interface LiveColumn {
  readonly type: number
  /** Below a domain, the type it stands on. */
  readonly baseType: number
  readonly typeName: string
  readonly nullable: boolean
  readonly generated: boolean
}

const tablesStatement: Statement = {
  name: 'millrace-live-tables',
  text: `
    select n.nspname as schema, c.relname as name, c.oid::int8 as oid,
           c.relkind in ('r', 'p') and c.relpersistence = 'p' as logged,
           case when c.relkind in ('r', 'p') and c.relpersistence = 'u' then 'unlogged table'
                when c.relkind in ('r', 'p') and c.relpersistence = 't' then 'temporary table'
                when c.relkind in ('r', 'p') then 'table'
                when c.relkind = 'v' then 'view' when c.relkind = 'm' then 'materialized view'
                when c.relkind = 'f' then 'foreign table' else 'relation of kind ' || c.relkind::text end as kind,
           c.relkind = 'p' as partitioned,
           coalesce((select array_agg(a.attname::text order by k.place)
              from pg_index i, unnest(i.indkey::int2[]) with ordinality k (attnum, place), pg_attribute a
              where i.indrelid = c.oid and i.indisprimary and k.place <= i.indnkeyatts
                and a.attrelid = c.oid and a.attnum = k.attnum), '{}') as primary_key,
           (select array_agg(distinct p.relreplident::text) from pg_class p
              where p.oid = c.oid or p.oid in (select relid from pg_partition_tree(c.oid))) as replica_identities
      from unnest($1::text[], $2::text[]) w (schema, name)
      join pg_namespace n on n.nspname = w.schema
      join pg_class c on c.relnamespace = n.oid and c.relname = w.name`,
}

const columnsStatement: Statement = {
  name: 'millrace-live-columns',
  text: `
    with recursive base (id, type) as (
      select oid, oid from pg_type where typtype <> 'd'
      union all
      select t.oid, b.type from pg_type t join base b on t.typtype = 'd' and t.typbasetype = b.id)
    select a.attrelid::int8 as "table", a.attname as name, a.atttypid::int8 as type, b.type::int8 as "baseType",
           format_type(a.atttypid, a.atttypmod) as "typeName", not a.attnotnull as nullable,
           a.attgenerated <> '' as generated
      from pg_attribute a join base b on b.id = a.atttypid
      where a.attrelid = any($1::oid[]) and a.attnum > 0 and not a.attisdropped`,
}

interface TableRow {
  schema: string
  name: string
  oid: number
  logged: boolean
  kind: string
  partitioned: boolean
  primary_key: string[]
  replica_identities: string[]
}

/** Reads those of the tables that exist, by the name they are declared with. */
export async function readLiveTables(
  store: Pick<Store, 'run'>,
  tables: readonly TableDefinition[],
): Promise<Map<string, LiveTable>> {
  const names = tables.map(tableName)
  const rows = await store.run<TableRow>(tablesStatement, [
    names.map(({ schema }) => schema),
    names.map(({ name }) => name),
  ])
  const columns = await store.run<LiveColumn & { table: number; name: string }>(columnsStatement, [
    rows.map(({ oid }) => oid),
  ])
  const live = new Map<string, LiveTable>()
  for (const { schema, name, primary_key: primaryKey, replica_identities: replicaIdentities, ...row } of rows) {
    live.set(schema === 'public' ? name : `${schema}.${name}`, {
      ...row,
      name: { schema, name },
      primaryKey,
      replicaIdentities,
      columns: new Map(columns.filter(({ table }) => table === row.oid).map((column) => [column.name, column])),
    })
  }
  return live
}
