import fc from 'fast-check'
import { expect, test } from 'vitest'
import { event } from '../events/event.ts'
import { readLog } from '../events/read.ts'
import { PlatformError } from '../kernel/errors.ts'
import { t } from '../kernel/schema.ts'
import { app } from '../platform/app-definition.ts'
import { type TestApp, testApp } from '../testing/test-app.ts'
import type { Expected } from './expected.ts'
import { appendAll, stream } from './stream.ts'

const noted = event('book.noted', { by: t.int() })
const book = stream('book', {
  events: { noted },
  initial: () => [] as number[],
  evolve: (state, { data }) => [...state, data.by],
})

interface Part {
  readonly of: string
  readonly count: number
  /** `now`: the revision that the stream had before the batch, `off` beside it. */
  readonly expect: 'any' | 'none' | 'exists' | 'now' | 'off'
}
interface Operation {
  /** `caught`: in a transaction that commits although the append was refused. */
  readonly how: 'first' | 'second' | 'kept' | 'caught' | 'undone'
  readonly parts: readonly Part[]
}
/** What became of one part: where it stands, or that it was refused. */
interface Outcome {
  readonly stream: string
  readonly by: number
  readonly count: number
  readonly expect: Expected
  readonly revision: number | 'conflict' | 'undone'
  readonly alone: boolean
}

const part = fc.record({
  of: fc.constantFrom('a', 'b', 'c'),
  count: fc.integer({ min: 1, max: 3 }),
  expect: fc.constantFrom('any', 'none', 'exists', 'now', 'off'),
} satisfies Record<keyof Part, unknown>)
const operation = fc.record({
  how: fc.constantFrom('first', 'second', 'kept', 'caught', 'undone'),
  parts: fc.uniqueArray(part, { minLength: 1, maxLength: 3, selector: ({ of }) => of }),
} satisfies Record<keyof Operation, unknown>)
const batches = fc.array(fc.array(operation, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 4 })

test('concurrent appends of all kinds keep what they expect, from two processes and in transactions', async () => {
  await using first = await testApp(app('library', { book }))
  await using second = await testApp(app('library', { book }), { url: first.databaseUrl, memberName: 'second' })
  let round = 0
  let serial = 0
  await fc.assert(
    fc.asyncProperty(batches, async (given) => {
      round += 1
      const idOf = (of: string): string => `${round}-${of}`
      const outcomes: Outcome[] = []
      const revisions = new Map<string, number>()
      for (const batch of given) {
        const before = new Map(revisions)
        const ended = await Promise.all(
          batch.map((each) => {
            serial += 1
            return perform(each, serial, { first, second, idOf, before })
          }),
        )
        outcomes.push(...ended.flat())
        for (const of of ['a', 'b', 'c'])
          revisions.set(of, await first.within(async () => (await book.load(idOf(of))).revision))
        checkRefusals(ended.flat(), before, revisions)
      }
      for (const [of, last] of revisions) {
        const kept = outcomes.filter(({ stream, revision }) => stream === of && typeof revision === 'number')
        checkRevisions(kept, last)
        const { state } = await first.within(() => book.load(idOf(of)))
        expect(state).toEqual(inOrder(kept).flatMap(({ by, count }) => Array.from({ length: count }, () => by)))
      }
    }),
    { numRuns: 20, endOnFailure: true },
  )
  await first.settled()
  await checkLog(first)
})

interface Stage {
  first: TestApp
  second: TestApp
  idOf: (of: string) => string
  before: ReadonlyMap<string, number>
}

async function perform({ how, parts }: Operation, by: number, stage: Stage): Promise<Outcome[]> {
  const running = how === 'second' ? stage.second : stage.first
  const wanted = parts.map(({ of, count, expect: given }) => ({
    of,
    count,
    expect: expectedOf(given, of, stage.before),
  }))
  const outcome = (of: (typeof wanted)[number], revision: Outcome['revision']): Outcome => ({
    stream: of.of,
    by,
    count: of.count,
    expect: of.expect,
    revision,
    alone: parts.length === 1,
  })
  const write = (within?: Parameters<Parameters<TestApp['transaction']>[0]>[0]): Promise<number[]> => {
    const terms = within === undefined ? {} : { within }
    const [only] = wanted
    if (wanted.length === 1 && only !== undefined)
      return book
        .append(stage.idOf(only.of), eventsOf(by, only.count), { ...terms, expect: only.expect })
        .then((revision) => [revision])
    const appends = wanted.map(({ of, count, expect: given }) =>
      book.pending(stage.idOf(of), eventsOf(by, count), { expect: given }),
    )
    return appendAll(appends, terms)
  }
  try {
    const revisions = await running.within(() =>
      how === 'first' || how === 'second'
        ? write()
        : running.transaction(async (tx) => {
            const written = await write(tx).catch((error: unknown) => {
              if (how === 'caught' && isConflict(error)) return undefined
              throw error
            })
            if (how === 'undone') throw new Error('undone')
            return written
          }),
    )
    if (revisions === undefined) return wanted.map((each) => outcome(each, 'conflict'))
    return wanted.map((each, i) => outcome(each, revisions[i] as number))
  } catch (error) {
    if (isConflict(error)) return wanted.map((each) => outcome(each, 'conflict'))
    if ((error as Error).message === 'undone') return wanted.map((each) => outcome(each, 'undone'))
    throw error
  }
}

const isConflict = (error: unknown): boolean => error instanceof PlatformError && error.code === 'STREAM_CONFLICT'

const eventsOf = (by: number, count: number) =>
  Array.from({ length: count }, () => ({ type: 'noted', data: { by } }) as const)

function expectedOf(given: Part['expect'], of: string, before: ReadonlyMap<string, number>): Expected {
  if (given === 'now') return before.get(of) ?? 0
  return given === 'off' ? (before.get(of) ?? 0) + 1 : given
}

const inOrder = (kept: readonly Outcome[]): Outcome[] =>
  kept.toSorted((one, other) => Number(one.revision) - Number(other.revision))

/** What was appended fills the revisions without gaps, and each met what it expected. */
function checkRevisions(kept: readonly Outcome[], last: number): void {
  let at = 0
  for (const { revision, count, expect: expected } of inOrder(kept)) {
    expect(revision).toBe(at + count)
    if (expected === 'none') expect(at).toBe(0)
    else if (expected === 'exists') expect(at).toBeGreaterThan(0)
    else if (expected !== 'any') expect(at).toBe(expected)
    at += count
  }
  expect(at).toBe(last)
}

/** Nobody was refused whose expectation held all the time. */
function checkRefusals(
  outcomes: readonly Outcome[],
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): void {
  for (const { stream: of, expect: expected, revision, alone } of outcomes) {
    if (revision !== 'conflict' || !alone) continue
    const [from, to] = [before.get(of) ?? 0, after.get(of) ?? 0]
    expect(expected).not.toBe('any')
    if (expected === 'none') expect(to).toBeGreaterThan(0)
    else if (expected === 'exists') expect(from).toBe(0)
    else if (from === to) expect(expected).not.toBe(from)
  }
}

/** The log has the order of the revisions, and each append in it whole: nothing else, and nothing twice. */
async function checkLog({ store }: TestApp): Promise<void> {
  const seen = new Map<string, number>()
  let after = 0
  for (;;) {
    const { records, through } = await readLog(store, { after, span: 2000 })
    for (const { key, meta } of records) {
      const { revision } = JSON.parse(meta ?? '{}') as { revision: number }
      expect(revision).toBe((seen.get(String(key)) ?? 0) + 1)
      seen.set(String(key), revision)
    }
    if (through === after) break
    after = through
  }
  const stored = await store.sql<{ stream: string; revision: number }>`
    select stream, revision from millrace.streams where revision > 0`
  expect(new Map(stored.map(({ stream: name, revision }) => [name, revision]))).toEqual(seen)
}
