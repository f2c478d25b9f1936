import fc from 'fast-check'
import { expect, test } from 'vitest'
import { until } from '../../test/support/until.ts'
import { on } from '../delivery/on.ts'
import { event } from '../events/event.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import { testDatabase } from '../testing/test-postgres.ts'

const sent = event('sent', { key: t.string(), n: t.int() }, { key: 'key' })
const keys = ['a', 'b', 'c']

type Step =
  | { do: 'publish'; key: number; failures: number }
  | { do: 'edit' | 'undo' | 'discard' | 'redrive'; pick: number }
  | { do: 'redriveAll' | 'retryAll' | 'pause' | 'resume' | 'wait'; pick: number }

const pick = fc.nat(1000)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('publish' as const), key: fc.nat(2), failures: fc.nat(12) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('edit', 'undo', 'discard', 'redrive'), pick }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('redriveAll', 'retryAll', 'pause', 'resume', 'wait', 'wait'), pick }),
  },
)

/** What people did, as far as it succeeded. */
class Diary {
  /** What the handler was promised to get. */
  readonly edits = new Map<number, number>()
  /** Number of the redrive that moved each event last. */
  readonly redriven = new Map<number, number>()
  /** Events that waited when an earlier one of their key was redriven; those handled after `mark` come after it. */
  readonly behind: { redriven: number; number: number; waiting: number; mark: number }[] = []
  redrives = 0
}

/** Runs a history on an app of two processes and returns it with what was promised. */
async function live(
  steps: readonly Step[],
  url: string,
): Promise<{ running: TestApp; stop(): Promise<void>; diary: Diary }> {
  const failures = new Map<number, number>()
  const definition = app(
    't',
    {
      sent,
      clerk: on('clerk', sent, { attempts: 8, backoff: { first: 1, max: 5 } }, async ({ data, sql, position }) => {
        await sql`insert into effects (position, key, n) values (${position}, ${data.key}, ${data.n})`
        // Long enough for somebody to change the delivery meanwhile.
        await sql`select pg_sleep(0.005)`
        const left = failures.get(position) ?? failures.get(-data.n) ?? 0
        failures.set(position, left - 1)
        if (left > 0) throw new Error(`no ${data.n}`)
      }),
    },
    {
      setup: ({ sql }) =>
        sql`create table if not exists effects (id serial primary key, position bigint, key text, n int)`,
    },
  )
  const [running, second] = [await testApp(definition, { url }), await testApp(definition, { url })]
  const stop = async (): Promise<void> => void (await Promise.all([running.stop(), second.stop()]))
  const diary = new Diary()
  const apps = [running, second]
  let published = 0
  for (const [i, each] of steps.entries()) {
    const on = apps[i % 2] as TestApp
    if (each.do === 'publish') {
      published += 1
      failures.set(-published, each.failures)
      await on.publish(sent, { key: keys[each.key] as string, n: published })
    } else await act(on, each, diary)
  }
  failures.clear()
  await running.operate('resumeConsumer', { consumer: 'clerk' })
  await running.operate('retryNow', { all: true })
  await running.settled()
  await until('nothing waits any more', async () => {
    const [clerk] = await running.operate('consumers', {})
    return clerk?.lag === 0 && clerk.retrying === 0 && clerk.held === 0
  })
  return { running, stop, diary }
}

async function act(on: TestApp, step: Exclude<Step, { do: 'publish' }>, diary: Diary): Promise<void> {
  if (step.do === 'wait')
    await on.settled(300).catch(() => undefined) // it is paused
  else if (step.do === 'pause') await on.operate('pauseConsumer', { consumer: 'clerk' })
  else if (step.do === 'resume') await on.operate('resumeConsumer', { consumer: 'clerk' })
  else if (step.do === 'retryAll') await on.operate('retryNow', { consumer: 'clerk' })
  else if (step.do === 'redriveAll') await redrive(on, undefined, diary)
  else {
    const state = step.do === 'redrive' || step.pick % 3 === 0 ? 'dead' : 'retrying'
    const { deliveries } = await on.operate('deadLetters', { consumer: 'clerk', state, limit: 500 })
    const chosen = deliveries[step.pick % Math.max(1, deliveries.length)]
    if (chosen === undefined) return
    const { position, key } = chosen
    if (step.do === 'redrive') return redrive(on, position, diary)
    const place = { consumer: 'clerk', position }
    // It may have been handled a moment ago: then nothing was promised.
    const refused = (error: unknown): undefined => void expect(error).toMatchObject({ code: 'NOT_FOUND' })
    if (step.do === 'discard') await on.operate('discard', { consumer: 'clerk', positions: [position], reason: 'test' })
    else if (step.do === 'edit') {
      const data = { key: key ?? '', n: 1000 + step.pick }
      const done = await on.operate('edit', { ...place, data }).catch(refused)
      if (done?.edit !== undefined) diary.edits.set(position, data.n)
      else diary.edits.delete(position)
    } else if ((await on.operate('undoEdit', place).catch(refused)) !== undefined) diary.edits.delete(position)
  }
}

async function redrive(on: TestApp, position: number | undefined, diary: Diary): Promise<void> {
  const number = ++diary.redrives
  const waiting = await on.sql<{ position: number; key: string }>`
    select position, key from millrace.deliveries where state <> 'dead'`
  await on.operate('redrive', {
    consumer: 'clerk',
    by: String(number),
    ...(position === undefined ? {} : { positions: [position] }),
  })
  const [{ mark } = { mark: 0 }] = await on.sql<{ mark: number }>`select coalesce(max(id), 0) as mark from effects`
  const moved = await on.sql<{ position: number; key: string }>`
    select position, key from millrace.interventions where action = 'redrive' and by = ${String(number)}`
  for (const each of moved) {
    diary.redriven.set(each.position, number)
    for (const other of waiting)
      if (other.key === each.key && other.position > each.position)
        diary.behind.push({ redriven: each.position, number, waiting: other.position, mark })
  }
}

test('through failures, edits, redrives and discards every event ends handled once, dead or discarded, in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80 }), async (steps) => {
      const database = await testDatabase()
      const { running, stop, diary } = await live(steps, database.url)
      try {
        await check(running, steps.filter((each) => each.do === 'publish').length, diary)
      } finally {
        await stop()
        await database.drop()
      }
    }),
    { numRuns: 6, endOnFailure: true },
  )
}, 120_000)

async function check(running: TestApp, published: number, diary: Diary): Promise<void> {
  const effects = await running.sql<{ id: number; position: number; key: string; n: number }>`
    select id, position, key, n from effects order by id`
  const handled = effects.map(({ position }) => position)
  const dead = await running.sql<{ position: number }>`select position from millrace.deliveries`
  const discarded = await running.sql<{ position: number }>`
    select position from millrace.interventions where action = 'discard'`
  const ends = [...handled, ...[...dead, ...discarded].map(({ position }) => position)]
  // Neither lost nor twice, neither both handled and given up.
  expect([...ends].sort((a, b) => a - b)).toEqual(Array.from({ length: published }, (_, i) => i + 1))
  for (const [position, n] of diary.edits) {
    const effect = effects.find((each) => each.position === position)
    if (effect !== undefined) expect(effect.n).toBe(n)
  }
  for (const key of keys) {
    const own = effects.filter((each) => each.key === key).map(({ position }) => position)
    const ordered = (positions: number[]): void => expect(positions).toEqual([...positions].sort((a, b) => a - b))
    // What was never a dead letter that came back keeps the order of the log, and so does each redrive.
    ordered(own.filter((position) => !diary.redriven.has(position)))
    for (let number = 1; number <= diary.redrives; number += 1)
      ordered(own.filter((position) => diary.redriven.get(position) === number))
  }
  const idOf = (position: number): number | undefined => effects.find((each) => each.position === position)?.id
  for (const { redriven, number, waiting, mark } of diary.behind) {
    const [first, then] = [idOf(redriven), idOf(waiting)]
    if (first === undefined || then === undefined || then <= mark || diary.redriven.get(redriven) !== number) continue
    expect(first).toBeLessThan(then)
  }
}
