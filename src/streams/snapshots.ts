import type { Sql } from '../store/sql.ts'
import type { Store } from '../store/store.ts'
import type { Loaded } from './stream-types.ts'

const readText = 'select revision, state::text as state from millrace.snapshots where stream = $1 and shape = $2'

export async function readSnapshot(sql: Sql, stream: string, version: number): Promise<Loaded<unknown> | undefined> {
  const [row] = await sql.query<{ revision: number; state: string }>(readText, [stream, String(version)])
  return row === undefined ? undefined : { revision: row.revision, state: JSON.parse(row.state) }
}

/** Older ones of the stream go; a newer one stays. */
export async function writeSnapshot(
  store: Store,
  stream: string,
  version: number,
  { state, revision }: Loaded<unknown>,
): Promise<void> {
  await store.sql`
    insert into millrace.snapshots (stream, shape, revision, state)
    values (${stream}, ${String(version)}, ${revision}, ${JSON.stringify(state)})
    on conflict (stream, shape) do update set revision = excluded.revision, state = excluded.state
      where snapshots.revision < excluded.revision`
}
