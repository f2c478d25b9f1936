import { PlatformError } from '../kernel/errors.ts'
import { uuidv7 } from '../kernel/ids.ts'
import { momentMs } from '../kernel/moment.ts'
import type { Queryable, Sql, Statement } from '../store/sql.ts'
import type { AddOptions, JobDefinition } from './job-definition.ts'

/** A job on its way into its queue; `data` and `meta` are JSON text. */
export interface NewJob {
  readonly id: string
  readonly queue: string
  readonly priority: number
  readonly runAt: Date
  readonly lane: string | null
  readonly uniqueKey: string | null
  readonly data: string
  readonly meta: string | null
  readonly addedAt: Date
}

export function checkPriority(name: string, priority: number): void {
  if (Number.isInteger(priority) && Math.abs(priority + 0.5) <= 32_767.5) return
  throw new PlatformError('OPTION_INVALID', `job("${name}"): priority must be a whole number from -32768 to 32767`)
}

/** Checks and encodes a job. Throws INPUT_INVALID. */
export function newJob<D>(definition: JobDefinition<D>, data: D, options: AddOptions, nowMs: number): NewJob {
  const { name, schema } = definition
  const { priority, perKey, unique } = definition.options
  const checked = schema.parse(data, `job ${name}`)
  const text = JSON.stringify(checked) as string | undefined
  if (text === undefined) throw refusal(name, 'has no data')
  if (options.priority !== undefined) checkPriority(name, options.priority)
  if (options.key !== undefined && perKey === undefined)
    throw new PlatformError('OPTION_INVALID', `job("${name}") has no perKey, so a key limits nothing`)
  const runAtMs = options.at === undefined ? nowMs : momentMs(options.at, nowMs)
  return {
    id: uuidv7(),
    queue: name,
    priority: options.priority ?? priority,
    runAt: new Date(runAtMs),
    lane: key(name, options.key ?? perKey?.key(checked as never)),
    uniqueKey: key(name, options.unique ?? unique?.(checked as never)),
    data: text,
    meta: metaOf(options),
    addedAt: new Date(nowMs),
  }
}

function key(job: string, value: string | null | undefined): string | null {
  if (value === undefined || value === null) return null
  const text = String(value)
  if (text.includes('\0')) throw refusal(job, 'has a key with the character U+0000, which Postgres cannot store')
  // A key stands in indexes, whose entries have a limit of 2,704 bytes.
  if (text.length > 600) throw refusal(job, 'has a key of more than 600 characters')
  return text
}

function refusal(job: string, message: string): PlatformError {
  return new PlatformError('INPUT_INVALID', `job ${job} ${message}`, { issues: [{ path: '', message }] })
}

function metaOf({ cause, correlation, traceparent }: AddOptions): string | null {
  if (cause === undefined && correlation === undefined && traceparent === undefined) return null
  return JSON.stringify({ cause, correlation, traceparent })
}

const rows = `unnest($1::uuid[], $2::text[], $3::smallint[], $4::timestamptz[], $5::text[], $6::text[], $7::json[], $8::json[], $9::timestamptz[])
  as r(id, queue, priority, run_at, lane, unique_key, data, meta, added_at)`
const columns = 'id, queue, priority, run_at, lane, unique_key, data, meta, added_at'

const addStatement: Statement = {
  name: 'millrace-add-jobs',
  text: `insert into millrace.jobs (${columns}) select * from ${rows}`,
}

/** Takes the keys that are free, in one order for all, so that two batches never wait for each other. */
const addUniqueStatement: Statement = {
  name: 'millrace-add-unique-jobs',
  text: `with r as materialized (select * from ${rows}), taken as (
      insert into millrace.job_keys as k (queue, key, job)
      select distinct on (queue, unique_key) queue, unique_key, id from r where unique_key is not null
       order by queue, unique_key, id
      on conflict (queue, key) do update set job = excluded.job, until = null where k.until <= $10
      returning job)
    insert into millrace.jobs (${columns})
    select ${columns} from r where unique_key is null or id in (select job from taken) returning id`,
}

const holdersStatement: Statement = {
  name: 'millrace-job-key-holders',
  text: `select w.id, k.job from unnest($1::uuid[], $2::text[], $3::text[]) as w(id, queue, key)
    join millrace.job_keys k on k.queue = w.queue and k.key = w.key`,
}

/** The holder of a key may end just between our two looks; then the key is free again. */
const maxLooks = 5

/**
 * Adds jobs through the given client: in its transaction when one is open. Returns the id of each, or of the job that has
 * its unique key.
 */
export async function addJobs(client: Queryable | Sql, jobs: readonly NewJob[]): Promise<string[]> {
  if (jobs.length === 0) return []
  if (jobs.every(({ uniqueKey }) => uniqueKey === null)) {
    await query(client, addStatement, columnsOf(jobs))
    return jobs.map(({ id }) => id)
  }
  const ids = new Map<string, string>()
  let rest = jobs
  for (let look = 1; rest.length > 0; look += 1) {
    const now = rest[0]?.addedAt
    const added = await query<{ id: string }>(client, addUniqueStatement, [...columnsOf(rest), now])
    for (const { id } of added) ids.set(id, id)
    rest = rest.filter(({ id }) => !ids.has(id))
    const held = await query<{ id: string; job: string }>(client, holdersStatement, [
      rest.map(({ id }) => id),
      rest.map(({ queue }) => queue),
      rest.map(({ uniqueKey }) => uniqueKey),
    ])
    for (const { id, job } of held) ids.set(id, job)
    rest = rest.filter(({ id }) => !ids.has(id))
    if (look === maxLooks && rest.length > 0)
      throw new PlatformError(
        'JOB_BLOCKED',
        `job ${rest[0]?.queue} was not added: its unique key changes hands all the time`,
      )
  }
  return jobs.map(({ id }) => ids.get(id) as string)
}

/** A `sql` of ours, or a client of `pg`. */
async function query<R extends object>(client: Queryable | Sql, statement: Statement, values: unknown[]): Promise<R[]> {
  if (typeof client === 'function') return client.query<R>(statement.text, values)
  return (await client.query({ ...statement, values })).rows as R[]
}

function columnsOf(jobs: readonly NewJob[]): unknown[] {
  return [
    jobs.map(({ id }) => id),
    jobs.map(({ queue }) => queue),
    jobs.map(({ priority }) => priority),
    jobs.map(({ runAt }) => runAt),
    jobs.map(({ lane }) => lane),
    jobs.map(({ uniqueKey }) => uniqueKey),
    jobs.map(({ data }) => data),
    jobs.map(({ meta }) => meta),
    jobs.map(({ addedAt }) => addedAt),
  ]
}
