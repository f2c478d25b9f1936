import { PlatformError } from '../../kernel/errors.ts'
import type { Logger } from '../../kernel/logger.ts'
import type { Sql } from '../../store/sql.ts'
import type { Store } from '../../store/store.ts'
import type { EventDefinition } from '../event.ts'
import { breakText } from './break-text.ts'
import { type Break, breaksOf, contractOf, isKnown, type RegisteredContract } from './judge.ts'

export interface RegisterOptions {
  /** `stop` throws CONTRACT_BREAKING; `warn` logs it and registers the rest. */
  onBreak: 'stop' | 'warn'
  logger: Logger
  /** Who registers, for the record: the name of the process. */
  by: string
}

/** What was found about one event. */
export interface ContractReport {
  readonly event: string
  readonly version: number
  /** `known`: registered before; `new`: not yet, and it fits; `breaking`: it must not start. */
  readonly status: 'known' | 'new' | 'breaking'
  readonly breaks: readonly Break[]
  /** For people; '' unless it breaks. */
  readonly text: string
}

/** Looks how declared events stand to the registry, without changing it. */
export async function checkContracts(sql: Sql, events: readonly EventDefinition[]): Promise<ContractReport[]> {
  const history = await readContracts(
    sql,
    events.map(({ name }) => name),
  )
  return events.map((event) => {
    const registered = history.filter((each) => each.event === event.name)
    const breaks = breaksOf(event, registered)
    const { name, version } = event
    const status = breaks.length > 0 ? 'breaking' : isKnown(contractOf(event), registered) ? 'known' : 'new'
    return { event: name, version, status, breaks, text: breaks.length === 0 ? '' : breakText(event, breaks) }
  })
}

/**
 * Registers the contracts of declared events, once all that are new fit. In a start that changes nothing it reads once.
 * @throws CONTRACT_BREAKING with each place in its message and in `issues`
 */
export async function registerContracts(
  store: Store,
  events: readonly EventDefinition[],
  options: RegisterOptions,
): Promise<void> {
  if (events.length === 0) return
  const reports = await checkContracts(store.sql, events)
  if (reports.every(({ status }) => status === 'known')) return
  await store.transaction(async ({ sql }) => {
    // Two processes that start at once must not each fit alone.
    await sql`lock table millrace.contracts in share row exclusive mode`
    const now = await checkContracts(sql, events)
    tellBreaks(
      now.filter(({ status }) => status === 'breaking'),
      options,
    )
    for (const { event: name } of now.filter(({ status }) => status === 'new')) {
      const event = events.find((each) => each.name === name)
      if (event !== undefined) await insert(sql, event, options.by)
    }
  })
}

function tellBreaks(breaking: readonly ContractReport[], { onBreak, logger }: RegisterOptions): void {
  if (breaking.length === 0) return
  const text = breaking.map((report) => report.text).join('\n')
  if (onBreak === 'warn') {
    logger.warn({ events: breaking.map(({ event }) => event) }, `${text}\n  A start in production stops here.`)
    return
  }
  const issues = breaking.flatMap(({ event, breaks }) =>
    breaks.flatMap(({ gaps }) => gaps.map(({ path, why }) => ({ path: `/${event}${path}`, message: why }))),
  )
  throw new PlatformError('CONTRACT_BREAKING', text, { issues })
}

async function insert(sql: Sql, event: EventDefinition, by: string): Promise<void> {
  const { version, checksum, format, schema } = contractOf(event)
  const text = schema === null ? null : JSON.stringify(schema)
  await sql`insert into millrace.contracts (event, version, checksum, format, schema, compatibility, registered_by)
    values (${event.name}, ${version}, ${checksum}, ${format}, ${text}, ${event.compatibility}, ${by})`
}

/** Registered contracts in their order. */
export function readContracts(sql: Sql, events: readonly string[]): Promise<RegisteredContract[]> {
  return sql<RegisteredContract>`
    select id, event, version, format, schema, checksum, compatibility,
           to_char(registered_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as "registeredAt"
      from millrace.contracts where event = any(${events}::text[]) order by id`
}
