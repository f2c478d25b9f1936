import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConsumedEvent, HandlerTools } from '../../src/delivery/handler.ts'
import { on } from '../../src/delivery/on.ts'
import { event } from '../../src/events/event.ts'
import { t } from '../../src/kernel/schema.ts'
import { type AppDefinition, app } from '../../src/platform/app-definition.ts'
import type { Sql } from '../../src/store/sql.ts'
import { stream } from '../../src/streams/stream.ts'

// The app of the check: every consumer leaves one effect per event, and fails as the event's data says.

/** How a handler fails: `exit` kills its process, `late` lets its time run out, `commit` breaks a constraint then. */
export type How = 'throw' | 'final' | 'statement' | 'swallow' | 'commit' | 'late' | 'exit'
export const hows: readonly How[] = ['throw', 'final', 'statement', 'swallow', 'commit', 'late']

const shape = {
  op: t.string(),
  key: t.string(),
  note: t.string(),
  /** Events to publish while it is handled. */
  follows: t.optional(t.int()),
  /** At whose handler it fails, how, and for how many tries (of `exit`: processes); more than `attempts` is until it is mended. */
  fates: t.optional(
    t.array(
      t.object({
        of: t.string(),
        how: t.oneOf('throw', 'final', 'statement', 'swallow', 'commit', 'late', 'exit'),
        times: t.int(),
      }),
    ),
  ),
}

export const did = event('did', shape, { key: 'key' })
export const noted = event('noted', shape)
export const followed = event('followed', shape, { key: 'key' })
export const credited = event('credited', shape)
export const account = stream('account', { events: { credited }, initial: () => 0, evolve: (n) => n + 1 })

export type Data = Parameters<typeof did.keyOf>[0]
export const attempts = 3
export const untilMended = 99

/** What the checker has to know of each consumer. */
export const consumersOfChaos = [
  { name: 'plain', types: ['did', 'noted', 'credited'], ordered: true },
  { name: 'chain', types: ['did'], ordered: true },
  { name: 'tail', types: ['followed', 'noted'], ordered: true },
  { name: 'careless', types: ['did'], ordered: false },
  { name: 'strict', types: ['did'], ordered: true },
  { name: 'backed', types: ['did', 'followed'], ordered: true },
] as const

const options = {
  start: 'beginning',
  attempts,
  backoff: { first: '20ms', factor: 2, max: '200ms' },
  timeout: '1s',
} as const

/** @param directory where a handler leaves word before it kills its process */
export function chaosApp(directory: string): AppDefinition {
  const handle = handlerOf(directory)
  return app(
    'chaos',
    [
      [did, noted, followed, credited, account],
      on('plain', [did, noted, credited], options, (context) => handle('plain', context)),
      on('chain', did, { ...options, concurrency: 4 }, (context) => handle('chain', context)),
      on.batch('tail', [followed, noted], { ...options, size: 20 }, async (batch) => {
        for (const one of batch.events) {
          await leave(batch, { consumer: nameOf('tail', batch), event: one, follows: 0 })
          const failure = await failureOf('tail', one, batch, directory)
          if (failure !== undefined) batch.fail(one, failure)
        }
      }),
      on('careless', did, { ...options, onFailure: 'dead-letter' }, (context) => handle('careless', context)),
      on('strict', did, { ...options, onFailure: 'stop' }, (context) => handle('strict', context)),
      on(
        'backed',
        [did, followed],
        {
          ...options,
          fallback: (context) => leave(context, { consumer: nameOf('backed', context), event: context, follows: 0 }),
        },
        (context) => handle('backed', context),
      ),
    ],
    { setup },
  )
}

async function setup({ sql }: { sql: Sql }): Promise<void> {
  await sql`create table if not exists effects (id bigserial primary key, consumer text, position bigint, op text, key text, note text, follows int)`
  await sql`create table if not exists rows (op text)`
  await sql`create table if not exists mended (op text)`
  await sql`create table if not exists one (n int unique deferrable initially deferred)`
  await sql`insert into one select 0 where not exists (select from one)`
}

type Context = ConsumedEvent<Data> & HandlerTools

function handlerOf(directory: string) {
  return async (consumer: string, context: Context): Promise<void> => {
    const { data, publish } = context
    const follows = consumer === 'chain' ? (data.follows ?? 0) : 0
    await leave(context, { consumer: nameOf(consumer, context), event: context, follows })
    for (let i = 1; i <= follows; i += 1) {
      const { fates = [], ...rest } = data
      const further = fates.filter(({ of }) => of === 'tail')
      await publish(followed, { ...rest, op: `${data.op}>${i}`, fates: further })
    }
    const failure = await failureOf(consumer, context, context, directory)
    if (failure !== undefined) throw failure
  }
}

const nameOf = (consumer: string, { replay }: Pick<HandlerTools, 'replay'>): string =>
  replay === null ? consumer : `replay:${replay}`

async function leave(
  { sql }: Pick<HandlerTools, 'sql'>,
  { consumer, event, follows }: { consumer: string; event: ConsumedEvent<Data>; follows: number },
): Promise<void> {
  const { position, key, data } = event
  await sql`insert into effects (consumer, position, op, key, note, follows) values (${consumer}, ${position}, ${data.op}, ${key}, ${data.note}, ${follows})`
}

/** Does what the event's fate says; returns the error to throw, if any. */
async function failureOf(
  consumer: string,
  event: ConsumedEvent<Data>,
  tools: HandlerTools,
  directory: string,
): Promise<Error | undefined> {
  const { data } = event
  const { attempt, sql, signal } = tools
  const fate = data.fates?.find(({ of }) => of === consumer)
  if (fate === undefined) return undefined
  if (fate.how === 'exit')
    return dieOnce(join(directory, `${consumer}-${data.op}`.replaceAll(/[^\w.-]/g, '-')), fate.times)
  if (attempt > fate.times) return undefined
  if (fate.times >= attempts && (await sql`select from mended where op = ${data.op}`).length > 0) return undefined
  const planned = new Error(`planned: ${fate.how} of ${consumer} for ${data.op}`)
  switch (fate.how) {
    case 'throw':
      return planned
    case 'final':
      return Object.assign(planned, { retryable: false })
    case 'statement':
      await sql`select 1 / 0`
      return undefined
    case 'swallow':
      await sql`select 1 / 0`.catch(() => undefined)
      return undefined
    case 'commit':
      await sql`insert into one values (0)`
      return undefined
    case 'late':
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      // Refused: its time is up. Were it taken, there would be an effect too many.
      await leave(tools, { consumer: nameOf(consumer, tools), event, follows: 0 })
      return undefined
  }
}

/** Kills its process, as often as it is told over all processes. */
function dieOnce(mark: string, times: number): undefined {
  for (let death = 1; death <= times; death += 1) {
    const file = `${mark}.${death}.died`
    if (existsSync(file)) continue
    writeFileSync(file, '')
    process.kill(process.pid, 'SIGKILL')
  }
  return undefined
}
