import type pg from 'pg'
import { consumersOfChaos, type Data } from './chaos-app.ts'
import type { Consumed, Delivery, Effect, Evidence, Intervened, Logged, Revision } from './chaos-evidence.ts'
import { readHistories } from './chaos-history.ts'

/**
 * Reads what a run left behind. The positions are computed here once more, from what stands beside the table of ticks,
 * and not by the reader of the product.
 */
export async function collect(client: pg.Client, directory: string): Promise<Evidence> {
  const rows = async <T>(text: string): Promise<T[]> => (await client.query(text)).rows as T[]
  const [counts] = await rows<{ head: number; stored: number }>(
    'select (select head from millrace.sequencer)::int as head, (select count(*) from millrace.events)::int as stored',
  )
  const at = placed(await rows<Row>(rowsText), await rows<Tick>(ticksText))
  const positions = new Map([...at].map(([position, { ordinal }]) => [ordinal, position]))
  const effects = await rows<Effect>(
    'select consumer, position::int as position, op, key, note, follows from effects order by id',
  )
  const deliveries = await rows<Delivery>(
    'select consumer, position::int as position, state, attempt, error, tries from millrace.deliveries order by consumer, position',
  )
  const interventions = await rows<Omit<Intervened, 'note'> & { what: { data?: Data | null } | null }>(
    'select action, consumer, position::int as position, reason, what from millrace.interventions order by id',
  )
  const replays = await rows<Replay>(
    'select id, consumer, from_position::int as from, until_position::int as until, state, key from millrace.replays order by id',
  )
  const revisions = await rows<Omit<Revision, 'position'> & { ordinal: number }>(revisionsText)
  return {
    operations: readHistories(directory),
    log: [...at].map(([position, row]) => loggedOf(position, row)).sort((a, b) => a.position - b.position),
    ...{ head: counts?.head ?? 0, stored: counts?.stored ?? 0 },
    consumers: [...consumersOfChaos.map((each) => consumed(each.name, each.name)), ...replays.map(replayed)],
    effects,
    deliveries,
    interventions: interventions.map(({ what, ...rest }) => ({ ...rest, note: what?.data?.note ?? null })),
    rows: (await rows<{ op: string }>('select op from rows')).map(({ op }) => op),
    revisions: revisions.map(({ ordinal, ...rest }) => ({ ...rest, position: positions.get(ordinal) ?? 0 })),
  }
}

function loggedOf(position: number, { type, key, data, cause }: Row): Logged {
  return { position, type, key, cause, op: data.op, note: data.note }
}

function consumed(name: string, declared: string): Consumed {
  const { types, ordered } = consumersOfChaos.find((each) => each.name === declared) ?? { types: [], ordered: false }
  return { name, types, ordered, from: 1, until: Number.POSITIVE_INFINITY, key: null, whole: true }
}

interface Replay {
  id: number
  consumer: string
  from: number
  until: number
  state: string
  key: string | null
}

function replayed({ id, consumer, from, until, state, key }: Replay): Consumed {
  // A replay keeps the order of keys whatever its consumer does in normal delivery.
  return { ...consumed(`replay:${id}`, consumer), ordered: true, from, until, key, whole: state === 'done' }
}

interface Row {
  xid: string
  ordinal: number
  type: string
  key: string | null
  data: Data
  cause: number | null
}

/** A tick: rows of transactions that its snapshot is the first to see have the positions after its base, by ordinal. */
interface Tick {
  base: number
  snap: string
}

const rowsText = `select xid::text, ordinal::int as ordinal, type, key, data, (meta->>'cause')::int as cause
    from millrace.events order by ordinal`
const ticksText = 'select min(base)::int as base, snap::text from millrace.ticks group by snap::text order by 1'
const revisionsText = `select stream, revision::int as revision, ordinal::int as ordinal
    from millrace.stream_events order by stream, revision`

function placed(rows: readonly Row[], ticks: readonly Tick[]): Map<number, Row> {
  const sees = ticks.map(({ snap }) => viewOf(snap))
  const byTick = ticks.map((): Row[] => [])
  for (const row of rows) {
    const xid = BigInt(row.xid)
    // What one snapshot sees, all later ones see.
    let [low, high] = [0, ticks.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sees[middle]?.(xid)) high = middle
      else low = middle + 1
    }
    byTick[low]?.push(row)
  }
  const at = new Map<number, Row>()
  for (const [i, { base }] of ticks.entries())
    for (const [rank, row] of (byTick[i] ?? []).entries()) at.set(base + rank + 1, row)
  return at
}

/** Text of a `pg_snapshot`: `xmin:xmax:xip,xip` (PostgreSQL manual, 9.28). */
function viewOf(snap: string): (xid: bigint) => boolean {
  const [, xmax = '0', running = ''] = snap.split(':')
  const hidden = new Set(running.split(',').filter(Boolean).map(BigInt))
  const end = BigInt(xmax)
  return (xid) => xid < end && !hidden.has(xid)
}
