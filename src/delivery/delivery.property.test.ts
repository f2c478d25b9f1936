import fc from 'fast-check'
import { expect, test } from 'vitest'
import { until } from '../../test/support/until.ts'
import { event } from '../events/event.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import { on } from './on.ts'
import type { OnFailure } from './on-options.ts'

// Whatever fails, however it is configured and whoever joins or leaves: per key in order, each effect exactly once.

const sent = event('sent', { key: t.string(), n: t.int() }, { key: 'key' })
const setup = ({ sql }: { sql: (s: TemplateStringsArray) => Promise<unknown> }) =>
  sql`create table if not exists effects (id serial primary key, key text, n int)`

interface Plan {
  onFailure: OnFailure
  shape: 'one' | 'concurrent' | 'batch'
  attempts: number
  /** How many first tries of an event fail; one that fails as often as there are attempts is given up. */
  failures: readonly number[]
  keys: readonly string[]
  steps: readonly ('publish' | 'join' | 'leave' | 'presumed dead' | 'store fails')[]
}

const count = 60
const plan: fc.Arbitrary<Plan> = fc.record({
  onFailure: fc.constantFrom<OnFailure>('pause-key', 'dead-letter'),
  shape: fc.constantFrom('one', 'concurrent', 'batch'),
  attempts: fc.integer({ min: 1, max: 3 }),
  failures: fc.array(
    fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.integer({ min: 1, max: 4 }) }),
    {
      minLength: count,
      maxLength: count,
    },
  ),
  keys: fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: count, maxLength: count }),
  steps: fc.array(fc.constantFrom('publish', 'publish', 'join', 'leave', 'presumed dead', 'store fails'), {
    minLength: 4,
    maxLength: 10,
  }),
})

/** Fails tries as planned; tries are counted over all processes, and those that the store took back count too. */
function workerOf({ onFailure, shape, attempts, failures }: Plan) {
  const fails = (n: number, attempt: number): boolean => attempt <= (failures[n] ?? 0)
  const options = { onFailure, attempts, backoff: 'immediate', start: 'beginning' } as const
  if (shape === 'batch') {
    return on.batch('worker', sent, { ...options, size: 7 }, async ({ events, sql, attempt, fail }) => {
      for (const one of events) {
        await sql`insert into effects (key, n) values (${one.data.key}, ${one.data.n})`
        if (fails(one.data.n, attempt)) fail(one, new Error(`no ${one.data.n}`))
      }
    })
  }
  return on(
    'worker',
    sent,
    { ...options, concurrency: shape === 'concurrent' ? 3 : 1 },
    async ({ data, sql, attempt }) => {
      await sql`insert into effects (key, n) values (${data.key}, ${data.n})`
      if (fails(data.n, attempt)) throw new Error(`no ${data.n}`)
    },
  )
}

async function runPlan(given: Plan): Promise<void> {
  const definition = () => app('t', { sent, worker: workerOf(given) }, { setup })
  await using base = await testApp(app('t', { sent }, { setup }))
  const members: TestApp[] = []
  const join = async (): Promise<void> => {
    members.push(await testApp(definition(), { url: base.databaseUrl, memberName: `member-${members.length}` }))
  }
  let next = 0
  const publish = async (upTo: number): Promise<void> => {
    for (; next < upTo; next += 1) await base.publish(sent, { key: given.keys[next] ?? 'a', n: next })
  }
  try {
    await join()
    const portion = Math.ceil(count / given.steps.length)
    for (const step of given.steps) {
      const publishing = publish(Math.min(count, next + portion))
      if (step === 'join' && members.length < 3) await join()
      if (step === 'leave' && members.length > 1) await members.shift()?.stop()
      // It goes on working, and others take its slots: only the epochs stand between them.
      if (step === 'presumed dead') await base.sql`delete from millrace.members where name = 'member-0'`
      if (step === 'store fails') {
        const disarm = members[0]?.faults.arm('delivery.settled', () => {
          disarm?.()
          throw new Error('cut off')
        })
      }
      await publishing
    }
    await publish(count)
    await base.settled()
    await until(
      'all is handled or given up',
      async () => {
        const [row] = await base.sql<{ over: number }>`
        select ((select count(*) from effects) + (select count(*) from millrace.deliveries where state = 'dead'))::int as over`
        return row?.over === count
      },
      30_000,
    )
  } finally {
    for (const member of members) await member.stop()
  }
  await agrees(base, given)
}

async function agrees(base: TestApp, { attempts, failures, keys, onFailure }: Plan): Promise<void> {
  const rows = await base.sql<{ key: string; n: number }>`select key, n from effects order by id`
  const numbers = Array.from({ length: count }, (_, n) => n)
  const givenUp = numbers.filter((n) => (failures[n] ?? 0) >= attempts)
  expect(rows.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(numbers.filter((n) => !givenUp.includes(n)))
  const states = await base.sql<{
    state: string
    dead: number
  }>`select state, count(*)::int as dead from millrace.deliveries group by 1`
  expect(states).toEqual(givenUp.length === 0 ? [] : [{ state: 'dead', dead: givenUp.length }])
  if (onFailure === 'dead-letter') return // the order is given up with it, on purpose
  for (const key of new Set(keys)) {
    const own = rows.filter((row) => row.key === key).map(({ n }) => n)
    expect(own).toEqual(own.toSorted((a, b) => a - b))
  }
}

test('per key in order and each effect once, over failures, policies and rebalances', async () => {
  await fc.assert(fc.asyncProperty(plan, runPlan), {
    numRuns: Number(process.env['DELIVERY_RUNS'] ?? 12),
    endOnFailure: true,
  })
}, 180_000)
