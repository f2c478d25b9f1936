import type { Store, Transaction } from '../store/store.ts'
import { type Signature, tell } from './interventions.ts'
import { replayPrefix } from './replay-name.ts'

/** Which failed deliveries are meant: those that fit everything that is given. */
export interface Selection {
  readonly consumer?: string
  /** Without those of replays. */
  readonly normal?: boolean
  readonly positions?: readonly number[]
  readonly signature?: string
  /** Exact type, or a prefix ending in `*`. */
  readonly type?: string
  readonly key?: string
}

/** A delivery that somebody changed. */
export interface Changed {
  readonly consumer: string
  readonly position: number
  readonly type: string
  readonly key: string | null
}

type State = 'retrying' | 'held' | 'dead'

/** A condition on `millrace.deliveries` as `d`, with `$1 …` for its values. */
export interface Condition {
  readonly text: string
  readonly values: readonly unknown[]
}

export function conditionOf(selection: Selection, states: readonly State[]): Condition {
  const { consumer, normal = false, positions, signature, type, key } = selection
  const values: unknown[] = [states]
  const parts = ['d.state = any($1::text[])', ...(normal ? [`not starts_with(d.consumer, '${replayPrefix}')`] : [])]
  const add = (value: unknown, condition: (parameter: string) => string): void => {
    if (value === undefined) return
    values.push(value)
    parts.push(condition(`$${values.length}`))
  }
  add(consumer, (p) => `d.consumer = ${p}`)
  add(positions, (p) => `d.position = any(${p}::bigint[])`)
  add(signature, (p) => `d.signature = ${p}`)
  add(key, (p) => `d.key = ${p}`)
  if (type?.endsWith('*') === true) add(type.slice(0, -1), (p) => `starts_with(d.type, ${p})`)
  else add(type, (p) => `d.type = ${p}`)
  return { text: parts.join(' and '), values }
}

/** The failed deliveries that are meant, in the order of the log. */
export function selected(
  source: Pick<Store, 'sql'>,
  selection: Selection,
  states: readonly State[],
): Promise<Changed[]> {
  const { text, values } = conditionOf(selection, states)
  return source.sql.query(
    `select d.consumer, d.position, d.type, d.key from millrace.deliveries d where ${text} order by d.position`,
    values,
  )
}

/**
 * Lets dead letters be handled again with a fresh count of tries. All of one call are seen at once, so each key's run in
 * the order of the log. Newer ones of the key that wait come behind them: a try of those that is under way is taken back.
 */
export function redrive(tx: Transaction, selection: Selection, signed: Signature): Promise<Changed[]> {
  const change = `update millrace.deliveries d set state = 'retrying', retry_at = now(), attempt = 0, redrives = redrives + 1,
    change = change + 1, updated_at = now()`
  const also = `, behind as (
      update millrace.deliveries h set change = h.change + 1 from (select consumer, key, min(position) as position from changed group by 1, 2) c
       where h.consumer = c.consumer and h.key = c.key and h.position > c.position and h.state <> 'dead')`
  return act(tx, { action: 'redrive', change, also, selection, states: ['dead'], what: 'null' }, signed)
}

/** Makes deliveries that wait for their next try due at once. */
export function retryNow(tx: Transaction, selection: Selection, signed: Signature): Promise<Changed[]> {
  // No new change: a try that is under way is as good as the one that is asked for.
  const change = 'update millrace.deliveries d set retry_at = now(), updated_at = now()'
  return act(tx, { action: 'retry-now', change, selection, states: ['retrying'], what: 'null' }, signed)
}

/** Gives deliveries up; what they were stays in the audit. Those that wait only where their positions are named. */
export function discard(tx: Transaction, selection: Selection, signed: Signature): Promise<Changed[]> {
  const what = `json_build_object('state', d.state, 'attempts', d.attempt, 'redrives', d.redrives, 'signature', d.signature,
    'error', d.error, 'data', d.data, 'firstFailedAt', d.first_failed_at, 'lastFailedAt', d.last_failed_at)`
  return act(
    tx,
    {
      action: 'discard',
      change: 'delete from millrace.deliveries d',
      selection,
      states: discardable(selection),
      what,
    },
    signed,
  )
}

/** In which states a selection may be discarded. */
export const discardable = ({ positions }: Selection): readonly State[] =>
  positions === undefined ? ['dead'] : ['dead', 'retrying']

interface Action {
  action: string
  change: string
  /** More to do with what was changed. */
  also?: string
  selection: Selection
  states: readonly State[]
  what: string
}

async function act(tx: Transaction, action: Action, { by, reason }: Signature): Promise<Changed[]> {
  const { text, values } = conditionOf(action.selection, action.states)
  const [pBy, pReason] = [`$${values.length + 1}`, `$${values.length + 2}`]
  const changed = await tx.sql.query<Changed>(
    `with changed as (${action.change} where ${text} returning d.*), noted as (
      insert into millrace.interventions (by, action, consumer, position, type, key, reason, what)
      select ${pBy}, '${action.action}', d.consumer, d.position, d.type, d.key, ${pReason}, ${action.what} from changed d order by d.position)${action.also ?? ''}
    select consumer, position, type, key from changed order by position`,
    [...values, by, reason],
  )
  await tell(
    tx,
    changed.map(({ consumer }) => consumer),
  )
  return changed
}
