import type { TableDefinition } from '../events/table.ts'
import type { Store, Transaction } from '../store/store.ts'
import { quotePart, quoteTable, tableName } from './table-name.ts'

/**
 * Makes the publication hold exactly the declared tables, and marks every table that joins it for a copy. One
 * transaction: a crash leaves no table that streams without having been copied.
 */
export function preparePublication(store: Store, name: string, tables: readonly TableDefinition[]): Promise<void> {
  return store.transaction(async (tx) => {
    const published = await readPublication(tx, name)
    const joining = tables.filter((table) => !published.sound || !published.tables.includes(plainName(table)))
    for (const statement of alterations(name, published, tables)) await tx.sql.query(statement)
    await markTables(tx, name, { joining: joining.map(declaredName), declared: tables.map(declaredName) })
  })
}

/**
 * Makes every decoder forget what it knew about the tables of the publication. Before a fix of 2025 (14.18, 15.13, 16.9,
 * 17.5) a decoder could go on taking a table for unpublished when a transaction that had written to it earlier ended
 * after it joined. Call this when those have ended.
 */
export async function refreshPublication(store: Store, name: string): Promise<void> {
  await store.sql.query(`alter publication ${quotePart(name)} set (${publicationOptions})`)
}

interface Published {
  exists: boolean
  /** It brings every kind of change. */
  sound: boolean
  tables: string[]
}

const publicationOptions = `publish = 'insert, update, delete, truncate', publish_via_partition_root = true`

async function readPublication(tx: Transaction, name: string): Promise<Published> {
  const [row] = await tx.sql<Published>`
    select p.oid is not null as exists,
           coalesce(pubinsert and pubupdate and pubdelete and pubtruncate and pubviaroot, false) as sound,
           coalesce((select array_agg(n.nspname || '.' || c.relname)
             from pg_publication_rel r join pg_class c on c.oid = r.prrelid join pg_namespace n on n.oid = c.relnamespace
             where r.prpubid = p.oid), '{}') as tables
      from (select) one left join pg_publication p on p.pubname = ${name}`
  return row ?? { exists: false, sound: false, tables: [] }
}

function alterations(name: string, published: Published, tables: readonly TableDefinition[]): string[] {
  const publication = quotePart(name)
  if (!published.exists) {
    const list =
      tables.length === 0 ? '' : ` for table ${tables.map((table) => `only ${quoteTable(table)}`).join(', ')}`
    return [`create publication ${publication}${list} with (${publicationOptions})`]
  }
  const wanted = tables.map(plainName)
  const joining = tables.filter((table) => !published.tables.includes(plainName(table)))
  const leaving = published.tables.filter((table) => !wanted.includes(table))
  return [
    ...(published.sound ? [] : [`alter publication ${publication} set (${publicationOptions})`]),
    ...leaving.map((table) => `alter publication ${publication} drop table only ${quoteTable({ name: table })}`),
    ...joining.map((table) => `alter publication ${publication} add table only ${quoteTable(table)}`),
  ]
}

async function markTables(
  tx: Transaction,
  capture: string,
  { joining, declared }: { joining: readonly string[]; declared: readonly string[] },
): Promise<void> {
  await tx.sql`
    update millrace.captured_tables
       set state = 'dropped', captured_before = captured_before or state = 'done', updated_at = now()
     where capture = ${capture} and state <> 'dropped' and name <> all(${declared}::text[])`
  await tx.sql`
    insert into millrace.captured_tables as c (capture, name, state)
    select ${capture}, name, 'waiting' from unnest(${declared}::text[]) name
    on conflict (capture, name) do update
       set state = 'waiting', captured_before = c.captured_before or c.state = 'done', rows_done = 0, updated_at = now()
     where c.state = 'dropped' or c.name = any(${joining}::text[])`
}

const declaredName = ({ name }: TableDefinition): string => name

function plainName(table: TableDefinition): string {
  const { schema, name } = tableName(table)
  return `${schema}.${name}`
}
