import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { event } from '../events/event.ts'
import { PlatformError } from '../kernel/errors.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import type { Expected } from './expected.ts'
import { appendAll, stream } from './stream.ts'

const noted = event('noted', { writer: t.int(), n: t.int() })
const note = stream('note', { events: { noted }, initial: () => 0, evolve: (n: number) => n + 1 })

let running: TestApp
beforeAll(async () => {
  running = await testApp(app('notes', { note }))
})
afterAll(() => running.stop())

const expectation = fc.oneof(
  fc.constantFrom<Expected>('any', 'any', 'none', 'exists'),
  fc.integer({ min: 0, max: 4 }),
  fc.constant('read' as const),
)
const one = fc.record({
  stream: fc.integer({ min: 0, max: 2 }),
  count: fc.integer({ min: 1, max: 3 }),
  expect: expectation,
})
const step = fc.record({
  appends: fc.oneof(
    fc.tuple(one),
    fc.uniqueArray(one, { minLength: 2, maxLength: 3, selector: (each) => each.stream }),
  ),
  how: fc.constantFrom('alone', 'alone', 'in a transaction', 'rolled back'),
})
const histories = fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 })

interface Done {
  ids: string[]
  counts: number[]
  expects: Expected[]
  revisions: number[]
  writer: number
}

type Given = [string, { type: 'noted'; data: { writer: number; n: number } }[], { expect: Expected }]

let run = 0

test('concurrent appends with every expectation leave streams that some order of those acknowledged explains', async () => {
  await fc.assert(
    fc.asyncProperty(histories, async (writers) => {
      run += 1
      const idOf = (n: number) => `${run}-${n}`
      const done: Done[] = []
      let made = 0
      const refused: { expect: Expected; error: PlatformError }[] = []
      await Promise.all(
        writers.map(async (steps, writer) => {
          for (const { appends, how } of steps) {
            const expects: Expected[] = []
            for (const { expect, stream: n } of appends)
              expects.push(expect === 'read' ? (await note.load(idOf(n))).revision : expect)
            const given = appends.map(({ stream: n, count }, i): Given => {
              const events = Array.from({ length: count }, () => {
                made += 1
                return { type: 'noted', data: { writer, n: made } } as const
              })
              return [idOf(n), events, { expect: expects[i] ?? 'any' }]
            })
            try {
              const revisions = await apply(given, how)
              if (revisions === undefined) continue
              const [ids, counts] = [appends.map((each) => idOf(each.stream)), appends.map(({ count }) => count)]
              done.push({ ids, counts, expects, revisions, writer })
            } catch (error) {
              if (!(error instanceof PlatformError) || error.code !== 'STREAM_CONFLICT') throw error
              refused.push({ expect: expects[0] ?? 'any', error })
            }
          }
        }),
      )
      // Nothing that may always be written was refused alone.
      for (const { expect: wanted, error } of refused)
        if (appendsAny(wanted)) expect(error.message).not.toContain("'any'")

      for (const n of [0, 1, 2]) {
        const id = idOf(n)
        const events = await note.read(id)
        expect(events.map(({ revision }) => revision)).toEqual(events.map((_, i) => i + 1))
        // Each acknowledged append has its own stretch of the stream, and met what it expected at its beginning.
        const stretches = done
          .flatMap(({ ids, counts, expects, revisions, writer }) => {
            const i = ids.indexOf(id)
            const last = revisions[i] ?? 0
            return i === -1 ? [] : [{ from: last - (counts[i] ?? 0), to: last, expects: expects[i] ?? 'any', writer }]
          })
          .sort((a, b) => a.from - b.from)
        expect(stretches.map(({ from }) => from)).toEqual(
          [0, ...stretches.map(({ to }) => to)].slice(0, stretches.length),
        )
        expect(stretches.at(-1)?.to ?? 0).toBe(events.length)
        for (const { from, to, expects, writer } of stretches) {
          expect(holds(expects, from)).toBe(true)
          expect(new Set(events.slice(from, to).map(({ data }) => data.writer))).toEqual(new Set([writer]))
          const written = events.slice(from, to).map(({ data }) => data.n)
          expect(written).toEqual([...written].sort((a, b) => a - b))
        }
      }
      await running.settled()
      // The order of the log is that of the revisions.
      const log = await running.sql<{ key: string; revisions: number[] }>`
        select p.stream as key, array_agg(p.revision order by e.ordinal) as revisions
          from millrace.stream_events p join millrace.events e on e.xid = p.xid and e.ordinal = p.ordinal
         where p.stream like ${`note:${run}-%`} group by 1`
      for (const { revisions } of log) expect(revisions).toEqual(revisions.map((_, i) => i + 1))
    }),
    { numRuns: 25 },
  )
})

async function apply(given: readonly Given[], how: string): Promise<number[] | undefined> {
  const [first] = given
  if (how === 'alone' && given.length === 1 && first !== undefined) return [await note.append(...first)]
  const pending = given.map((each) => note.pending(...each))
  if (how === 'alone') return appendAll(pending)
  let revisions: number[] | undefined
  try {
    await running.transaction(async (tx) => {
      revisions = await appendAll(pending, { within: tx })
      if (how === 'rolled back') throw new Error('rolled back')
    })
  } catch (error) {
    if (error instanceof Error && error.message === 'rolled back') return undefined
    throw error
  }
  return revisions
}

const appendsAny = (expected: Expected): boolean => expected === 'any'

function holds(expected: Expected, revision: number): boolean {
  if (expected === 'any') return true
  if (expected === 'exists') return revision > 0
  return revision === (expected === 'none' ? 0 : expected)
}
