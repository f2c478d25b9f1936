import { PlatformError } from '../kernel/errors.ts'
import { compileSchema, type Fields, type Schema, t } from '../kernel/schema.ts'
import { consumerViews } from './consumers.ts'
import type { EventFilter, OperationName, Operations } from './contract.ts'
import { eventDetail } from './event-detail.ts'
import { listEvents } from './event-list.ts'
import { journeyOf } from './journey.ts'
import { Live } from './live.ts'
import { overviewOf } from './overview.ts'
import { Rates } from './rates.ts'
import type { AdminSources } from './sources.ts'
import { topologyOf } from './topology.ts'

/** One operation, as the gateway serves it and the CLI calls it. */
export interface AdminOperation {
  readonly name: string
  readonly kind: 'query' | 'command'
  readonly input: Schema<unknown>
  run(input: unknown): Promise<unknown>
}

/** The typed operations of one running app: the only source of console and CLI. */
export interface Admin {
  readonly operations: readonly AdminOperation[]
  readonly live: Live
  run<N extends OperationName>(name: N, input: Operations[N]['input']): Promise<Operations[N]['output']>
  stop(): void
}

export function createAdmin(sources: AdminSources): Admin {
  const rates = new Rates(sources)
  const runs: { [N in OperationName]: (input: Operations[N]['input']) => Promise<Operations[N]['output']> } = {
    overview: () => overviewOf(sources, rates),
    topology: async () => topologyOf(sources, rates, await consumerViews(sources, rates)),
    events: (filter) => listEvents(sources.store, sources.feed.head, filter),
    event: ({ position }) => eventDetail(sources, position),
    journey: ({ position }) => journeyOf(sources, position),
    consumers: () => consumerViews(sources, rates),
    emit: (input) => emit(sources, input),
  }
  const operation = <N extends OperationName>(
    name: N,
    kind: AdminOperation['kind'],
    fields: Fields,
  ): AdminOperation => ({
    name,
    kind,
    input: compileSchema(fields) as Schema<unknown>,
    run: (input) => runs[name](input as Operations[N]['input']),
  })
  return {
    operations: [
      operation('overview', 'query', {}),
      operation('topology', 'query', {}),
      operation('events', 'query', filterFields),
      operation('event', 'query', at),
      operation('journey', 'query', at),
      operation('consumers', 'query', {}),
      operation('emit', 'command', { event: t.string(), data: t.json() }),
    ],
    live: new Live(sources, rates),
    run: (name, input) => runs[name](input),
    stop: () => rates.stop(),
  }
}

const at = { position: t.int({ minimum: 1 }) }
const filterFields = {
  type: t.optional(t.string()),
  key: t.optional(t.string()),
  text: t.optional(t.string()),
  before: t.optional(t.int({ minimum: 1 })),
  limit: t.optional(t.int({ minimum: 1, maximum: 500 })),
} satisfies { [K in keyof EventFilter]-?: unknown }

async function emit(
  { parts, publish }: AdminSources,
  { event: name, data }: Operations['emit']['input'],
): Promise<{ id: string }> {
  const event = parts.events.find((known) => known.name === name)
  if (event === undefined) {
    const known = parts.events.map((each) => each.name).join(', ')
    throw new PlatformError('NOT_FOUND', `the app has no event "${name}"`, {
      hint: known === '' ? 'It declares no events.' : `Its events: ${known}.`,
    })
  }
  return { id: await publish(event, data) }
}
