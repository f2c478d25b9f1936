import type pg from 'pg'
import type { Statement } from '../store/sql.ts'
import type { Store } from '../store/store.ts'
import type { LogRecord } from './record.ts'
import type { Selection } from './selection.ts'

/** Where to read from: the store, or one connection of it. */
export type LogSource = Pick<Store, 'run'> & {
  withClient<T>(work: (client: LogClient) => Promise<T>): Promise<T>
  /** Set on a connection that `keepPlans` has prepared. */
  readonly keepsPlans?: boolean
}
export type LogClient = Pick<pg.ClientBase, 'query'>

/**
 * Which rows belong to a tick is said beside its table (store/migrations/0001_log.sql); their rank by ordinal is their
 * place in it. `fresh_lo` bounds the first part: without it one late row with a low ordinal would make the reader look
 * through everything since. $1: positions above this one; $2: how many to look at, to the end of a tick.
 */
export const recordsOfTicks = `
  select t.base + e.rank as position, e.* from (
    select * from millrace.ticks
     where base >= coalesce((select max(base) from millrace.ticks where base <= $1), 0) and base < $1 + $2) t
   cross join lateral (
     select *, row_number() over (order by ordinal) as rank from (
       select * from millrace.events
         where xid >= t.since and xid < pg_snapshot_xmax(t.snap) and pg_visible_in_snapshot(xid, t.snap)
           and ordinal between t.fresh_lo and t.hi
       union all
       select * from millrace.events where xid = any(t.late) and ordinal between t.lo and t.hi) u) e
   where t.base + e.rank > $1`

const columns = 'position, id, type, version, key, data::text, meta::text, at::text'
const eventsOfTicks = (condition: string): string =>
  `select ${columns} from (${recordsOfTicks} ${condition}) r order by 1`

// Without names, so planned at each use (a third of a millisecond): a plan that the server keeps was made when the log was
// small, and went on to read all of it row by row until the next vacuum.
const readAll = eventsOfTicks('')

const keptOf = (condition: string): string => `
  select ${columns} from millrace.kept e
   where position > $1 and position <= $3 ${condition} order by position limit $2`

export interface ReadRange {
  /** Positions above this one. */
  after: number
  /** How many positions to look at, roughly: the last tick in reach is read whole. */
  span: number
  /** Only these; all when absent. In odd cases it gives more, see `CompiledFilter.sql`. */
  only?: Selection
}

export interface Stretch {
  records: LogRecord[]
  /** Everything up to here was looked at. Equal to `after` when the log ends there. */
  through: number
}

/** Reads on in the log; where the retention has dropped it, what was kept of it. */
export async function readLog(store: LogSource, range: ReadRange): Promise<Stretch> {
  const { tail } = await readBounds(store)
  return range.after < tail ? readKept(store, range, tail) : readOn(store, range)
}

/** Reads on from a place that is known not to be dropped: the newest part of the log. */
export async function readOn(store: LogSource, { after, span, only }: ReadRange): Promise<Stretch> {
  if (only === undefined) {
    const records = await readRecords(
      store,
      readAll,
      [after, span],
      store.keepsPlans === true ? 'millrace-read' : undefined,
    )
    return { records, through: records.at(-1)?.position ?? after }
  }
  // How far first, then what: a tick made in between must not be counted as read.
  const through = await reach(store, after, span)
  if (through === after) return { records: [], through }
  const { text, values } = only.sql(3)
  const records = await readRecords(store, eventsOfTicks(`and ${text}`), [after, through - after, ...values])
  return { records, through }
}

/**
 * Lets a connection plan the reading of the log once: with nothing but index scans and nested loops to choose from, the
 * plan that was made when the log was small stays right.
 */
export async function keepPlans(client: LogClient): Promise<void> {
  await client.query(
    `set plan_cache_mode = force_generic_plan; set jit = off; set enable_seqscan = off; set enable_bitmapscan = off;
     set enable_hashjoin = off; set enable_mergejoin = off`,
  )
}

async function readKept(store: LogSource, { after, span, only }: ReadRange, tail: number): Promise<Stretch> {
  const { text, values } = only?.sql(4) ?? { text: 'true', values: [] }
  const records = await readRecords(store, keptOf(`and ${text}`), [after, span, tail, ...values])
  return { records, through: records.length < span ? tail : (records.at(-1)?.position ?? tail) }
}

async function readRecords(store: LogSource, text: string, values: unknown[], name?: string): Promise<LogRecord[]> {
  const plain = { text, values, rowMode: 'array' } as const
  const config = name === undefined ? plain : { ...plain, name }
  const { rows } = await store.withClient((client) => client.query<Cells>(config))
  return rows.map(toRecord)
}

/** Positions up to `tail` are gone but for what was kept of them; `head` is the last one. */
export async function readBounds(store: LogSource): Promise<{ tail: number; head: number }> {
  const [row] = await store.run<{ tail: number; head: number }>({
    name: 'millrace-bounds',
    text: 'select tail, head from millrace.sequencer',
  })
  return row ?? { tail: 0, head: 0 }
}

/** One event, or `undefined` past the head or where it was dropped. */
export async function readAt(store: LogSource, position: number): Promise<LogRecord | undefined> {
  const { records } = await readLog(store, { after: position - 1, span: 1 })
  return records.find((record) => record.position === position)
}

const reachStatement: Statement = {
  name: 'millrace-reach',
  text: 'select max(base + count) as through from millrace.ticks where base >= $1 - 2000 and base < $1 + $2',
}

async function reach(store: LogSource, after: number, span: number): Promise<number> {
  const [row] = await store.run<{ through: number | null }>(reachStatement, [after, span])
  return Math.max(after, row?.through ?? after)
}

type Cells = [number, string, string, number, string | null, string, string | null, string]

function toRecord(cells: Cells): LogRecord {
  return {
    position: cells[0],
    id: cells[1],
    type: cells[2],
    version: cells[3],
    key: cells[4],
    data: cells[5],
    meta: cells[6],
    at: cells[7],
  }
}
