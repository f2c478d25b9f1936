import { PlatformError } from '../kernel/errors.ts'
import type { FailedDelivery, FailedFilter, FailedPage } from './contract.ts'
import { kindOf, namedIn } from './selection.ts'
import type { AdminSources } from './sources.ts'

const named = namedIn('d')

/** SQL: what a failed delivery is told as, from `millrace.deliveries` as `d`. */
export const failedColumns: string = `d.consumer as stored, ${named.columns}, d.position, d.type, d.key, d.state, d.attempt as attempts, d.redrives,
  d.data is not null as edited, d.signature, d.error, d.first_failed_at as "firstFailedAt", d.last_failed_at as "lastFailedAt",
  case when d.state = 'retrying' then d.retry_at end as "retryAt"`
export const failedTables: string = `millrace.deliveries d ${named.join}`

export interface FailedRow extends Required<Omit<FailedDelivery, 'kind' | 'signature' | 'error' | Moments>> {
  stored: string
  signature: string | null
  error: FailedDelivery['error'] | null
  firstFailedAt: string | null
  lastFailedAt: string | null
  retryAt: string | null
}
type Moments = 'firstFailedAt' | 'lastFailedAt' | 'retryAt'

export function failedView(row: FailedRow): FailedDelivery {
  const { signature, error, firstFailedAt, lastFailedAt, retryAt } = row
  return {
    consumer: row.consumer,
    kind: kindOf(row.consumer),
    replay: row.replay,
    position: row.position,
    type: row.type,
    key: row.key,
    state: row.state,
    attempts: row.attempts,
    redrives: row.redrives,
    edited: row.edited,
    ...(signature === null ? {} : { signature }),
    ...(error === null || error === undefined ? {} : { error }),
    ...(firstFailedAt === null ? {} : { firstFailedAt }),
    ...(lastFailedAt === null ? {} : { lastFailedAt }),
    ...(retryAt === null ? {} : { retryAt }),
  }
}

/** Failed deliveries one by one, the highest position first. */
export async function failedDeliveries({ store }: AdminSources, filter: FailedFilter): Promise<FailedPage> {
  const { limit = 50, cursor } = filter
  const { conditions, values } = conditionsOf(filter)
  const where = conditions.join(' and ')
  const [total] = await store.sql.query<{ total: number }>(
    `select count(*)::int as total from ${failedTables} where ${where}`,
    values,
  )
  const page = [...conditions]
  if (cursor !== undefined) {
    const { position, stored } = readCursor(cursor)
    values.push(position, stored)
    page.push(`(d.position, d.consumer) < ($${values.length - 1}, $${values.length})`)
  }
  values.push(limit + 1)
  const rows = await store.sql.query<FailedRow>(
    `select ${failedColumns} from ${failedTables} where ${page.join(' and ')}
      order by d.position desc, d.consumer desc limit $${values.length}`,
    values,
  )
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    deliveries: shown.map(failedView),
    total: total?.total ?? 0,
    ...(rows.length > limit && last !== undefined ? { next: `${last.position}:${last.stored}` } : {}),
  }
}

function conditionsOf({ consumer, signature, type, key, replay, state }: FailedFilter): {
  conditions: string[]
  values: unknown[]
} {
  const values: unknown[] = [state === undefined ? ['dead', 'retrying'] : [state]]
  const conditions = ['d.state = any($1::text[])']
  const add = (value: string | undefined, condition: (parameter: string) => string): void => {
    if (value === undefined) return
    values.push(value)
    conditions.push(condition(`$${values.length}`))
  }
  add(consumer, (p) => `coalesce(r.consumer, d.consumer) = ${p}`)
  add(replay, (p) => `r.id::text = ${p}`)
  add(signature, (p) => `d.signature = ${p}`)
  add(key, (p) => `d.key = ${p}`)
  if (type?.endsWith('*') === true) add(type.slice(0, -1), (p) => `starts_with(d.type, ${p})`)
  else add(type, (p) => `d.type = ${p}`)
  return { conditions, values }
}

function readCursor(cursor: string): { position: number; stored: string } {
  const [, position, stored] = /^(\d{1,15}):(.+)$/s.exec(cursor) ?? []
  if (position !== undefined && stored !== undefined) return { position: Number(position), stored }
  throw new PlatformError('INPUT_INVALID', 'cursor is not the `next` of a page', {
    issues: [{ path: '/cursor', message: 'is not the `next` of a page' }],
  })
}
