import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../kernel/logger.ts'
import { Metrics } from '../../kernel/metrics.ts'
import { type IndexShape, indexShape } from '../../search/index-shape.ts'
import type { FencedDocument, SearchEngine } from '../../search/search-engine.ts'
import { searchQuery } from '../../search/search-options.ts'
import { openStore, type Store } from '../../store/store.ts'
import { searchEngineCases } from '../../testing/conformance/search-engine-cases.ts'
import { type TestDatabase, testDatabase } from '../../testing/test-postgres.ts'
import { postgresSearch } from './postgres-search.ts'

let database: TestDatabase
let store: Store
let engines: SearchEngine[]

beforeEach(async () => {
  database = await testDatabase()
  store = openStore({ url: database.url, connections: 8, logger: silentLogger, applicationName: 'search test' })
  engines = []
})

afterEach(async () => {
  await Promise.all(engines.map((engine) => engine.close()))
  await store.close()
  await database.drop()
})

function open(shape: IndexShape): SearchEngine {
  const engine = postgresSearch({ store, shape, logger: silentLogger, metrics: new Metrics() })
  engines.push(engine)
  return engine
}

async function openPrepared(shape: IndexShape): Promise<SearchEngine> {
  const engine = open(shape)
  await store.transaction((tx) => engine.prepare(tx))
  return engine
}

const titles = indexShape({ name: 'titles', search: ['title'], filters: ['kind'], document: '' })

describe('conformance', () => {
  for (const { name, run } of searchEngineCases) {
    test(name, () => run({ open, transaction: (work) => store.transaction(work) }))
  }
})

type Fact = { kind: 'write'; batch: FencedDocument[] } | { kind: 'truncate'; version: number }

const versions = fc.integer({ min: 1, max: 16 })
const writes = fc.array(fc.record({ id: fc.constantFrom('a', 'b', 'c'), version: versions }), {
  minLength: 1,
  maxLength: 4,
})
const histories = fc.record({
  steps: fc.array(fc.oneof({ weight: 4, arbitrary: writes }, { weight: 1, arbitrary: versions }), {
    minLength: 1,
    maxLength: 8,
  }),
  repeated: fc.nat({ max: 4 }),
  seed: fc.integer(),
})

/** What one version says of one id is always the same, however often and in whatever company it is told. */
function factsOf(steps: readonly (number | { id: string; version: number }[])[], base: number): Fact[] {
  return steps.map((step) => {
    if (typeof step === 'number') return { kind: 'truncate', version: base + step }
    const batch = step.map(({ id, version }) => {
      const deleted = (version + id.charCodeAt(0)) % 4 === 0
      return { id, version: base + version, document: deleted ? null : { title: `version ${base + version}` } }
    })
    return { kind: 'write', batch }
  })
}

function tell(engine: SearchEngine, fact: Fact): Promise<void> {
  return store.transaction((tx) =>
    fact.kind === 'truncate' ? engine.truncate(tx, fact.version) : engine.apply(tx, fact.batch),
  )
}

async function shownBy(engine: SearchEngine): Promise<Record<string, number>> {
  const { hits } = await engine.search(searchQuery(titles, 'version', {}))
  return Object.fromEntries(hits.map(({ id, document }) => [id, Number(String(document['title']).slice(8))]))
}

test('facts in any order, doubled and mixed with truncations, come to the highest version and never go back', async () => {
  const engine = await openPrepared(titles)
  let base = 0
  const property = fc.asyncProperty(histories, async ({ steps, repeated, seed }) => {
    // The versions of a run lie above those of the runs before, which are truncated.
    base += 20
    await tell(engine, { kind: 'truncate', version: base })
    const facts = factsOf(steps, base)
    let before: Record<string, number> = {}
    for (const fact of shuffled([...facts, ...facts.slice(0, repeated)], seed)) {
      await tell(engine, fact)
      const now = await shownBy(engine)
      for (const [id, version] of Object.entries(now)) expect(version).toBeGreaterThanOrEqual(before[id] ?? 0)
      before = { ...before, ...now }
    }
    expect(await shownBy(engine)).toEqual(expected(facts))
  })
  await fc.assert(property, { numRuns: 100 })
})

test('facts told by several writers at once come to the same', async () => {
  const engine = await openPrepared(titles)
  let base = 0
  const property = fc.asyncProperty(histories, async ({ steps, repeated, seed }) => {
    base += 20
    await tell(engine, { kind: 'truncate', version: base })
    const facts = factsOf(steps, base)
    await Promise.all(shuffled([...facts, ...facts.slice(0, repeated)], seed).map((fact) => tell(engine, fact)))
    expect(await shownBy(engine)).toEqual(expected(facts))
  })
  await fc.assert(property, { numRuns: 100 })
})

test('a truncation and a writer that meet row by row from both ends do not wait for each other', async () => {
  const engine = await openPrepared(titles)
  const ids = Array.from({ length: 2000 }, (_, i) => String(1000 + i))
  const batch = (version: number): FencedDocument[] => ids.map((id) => ({ id, version, document: { title: 'x' } }))
  for (let round = 1; round <= 5; round += 1) {
    const at = round * 10
    // Stored from the last id to the first, which is the other way round than a batch is written.
    for (let end = 2000; end > 0; end -= 200)
      await tell(engine, { kind: 'write', batch: batch(at).slice(end - 200, end) })
    await Promise.all([
      tell(engine, { kind: 'write', batch: batch(at + 2) }),
      tell(engine, { kind: 'truncate', version: at + 1 }),
    ])
    expect((await engine.search(searchQuery(titles, 'x', {}))).total).toBe(2000)
  }
})

function expected(facts: readonly Fact[]): Record<string, number> {
  const truncated = Math.max(0, ...facts.flatMap((fact) => (fact.kind === 'truncate' ? [fact.version] : [])))
  const newest = new Map<string, FencedDocument>()
  for (const entry of facts.flatMap((fact) => (fact.kind === 'write' ? fact.batch : []))) {
    if (entry.version > (newest.get(entry.id)?.version ?? truncated)) newest.set(entry.id, entry)
  }
  const shown = [...newest.values()].filter(({ document }) => document !== null)
  return Object.fromEntries(shown.map(({ id, version }) => [id, version]))
}

function shuffled<T>(list: readonly T[], seed: number): T[] {
  let state = seed >>> 0
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state
  }
  return list
    .map((item) => ({ item, at: next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

test('writers that meet in ids and words finish, and their words are all learned', async () => {
  const engine = await openPrepared(titles)
  const other = await openPrepared(titles)
  const letters = 'abcdefghij'
  const word = (i: number): string => `word${letters[i % 10]}${letters[Math.floor(i / 10) % 10]}`
  const writers = [engine, other, engine, other].map(async (writer, w) => {
    for (let round = 0; round < 10; round += 1) {
      const batch = Array.from({ length: 50 }, (_, i) => ({
        id: String((i * 7 + w) % 50),
        version: round * 4 + w + 1,
        document: { title: `${word(i * 3 + w)} ${word(i * 11 + round)}` },
      }))
      await store.transaction((tx) => writer.apply(tx, w % 2 === 0 ? batch : batch.reverse()))
    }
  })
  await Promise.all(writers)
  await Promise.all([engine.refresh(), other.refresh()])
  const { hits } = await engine.search(searchQuery(titles, 'word', { limit: 100 }))
  expect(hits).toHaveLength(50)
  for (const { id, document } of hits) {
    const title = String(document['title']).replaceAll('word', 'wrod')
    const meant = await engine.search(searchQuery(titles, title, {}))
    expect(meant.hits.map((hit) => hit.id)).toContain(id)
  }
})

test('a rolled back batch leaves nothing, not even its words', async () => {
  const engine = await openPrepared(titles)
  const failed = store.transaction(async (tx) => {
    await engine.apply(tx, [{ id: '1', version: 1, document: { title: 'lantern' } }])
    throw new Error('no')
  })
  await expect(failed).rejects.toThrow('no')
  await engine.refresh()
  expect(await engine.get('1')).toBeUndefined()
  // The words are not taken for known: the retry brings them.
  await store.transaction((tx) => engine.apply(tx, [{ id: '1', version: 1, document: { title: 'lantern' } }]))
  await engine.refresh()
  expect((await engine.search(searchQuery(titles, 'lanternn', {}))).corrected).toBe('lantern')
})

test('words left behind by a process that ended are learned by the next', async () => {
  const first = await openPrepared(titles)
  await store.transaction((tx) => first.apply(tx, [{ id: '1', version: 1, document: { title: 'lantern' } }]))
  await first.close()
  const second = await openPrepared(titles)
  await second.refresh()
  expect((await second.search(searchQuery(titles, 'lantenr', {}))).corrected).toBe('lantern')
})

test('a word that no document has any more is no correction', async () => {
  const engine = await openPrepared(titles)
  await store.transaction((tx) => engine.apply(tx, [{ id: '1', version: 1, document: { title: 'lantern' } }]))
  await engine.refresh()
  await store.transaction((tx) => engine.apply(tx, [{ id: '1', version: 2, document: { title: 'chair' } }]))
  const answer = await engine.search(searchQuery(titles, 'lantenr', {}))
  expect(answer).toMatchObject({ total: 0, hits: [], corrected: undefined })
})

test('a total beyond 10,000 is a lower bound, and the best are found all the same', async () => {
  const engine = await openPrepared(titles)
  for (let from = 0; from < 12_000; from += 3000) {
    const batch = Array.from({ length: 3000 }, (_, i) => ({
      id: String(from + i),
      version: 1,
      document: { title: from + i === 11_500 ? 'common' : `number ${from + i} is common here` },
    }))
    await store.transaction((tx) => engine.apply(tx, batch))
  }
  const answer = await engine.search(searchQuery(titles, 'common', {}))
  expect(answer).toMatchObject({ total: 10_000, totalIsLowerBound: true })
  expect(answer.hits[0]?.id).toBe('11500')
  const everything = await engine.search(searchQuery(titles, '', {}))
  expect(everything).toMatchObject({ total: 10_000, totalIsLowerBound: true })
})

test('texts that mean something to Postgres or HTML are words like others', async () => {
  const engine = await openPrepared(titles)
  const odd = `it's \\ a "test" & <x> | !(y):* 'z''  \u0000 \ud800 100% %s $1`
  await store.transaction((tx) => engine.apply(tx, [{ id: '1', version: 1, document: { title: odd, kind: odd } }]))
  expect(await engine.get('1')).toEqual({ title: odd, kind: odd })
  for (const text of ["it's", '"test"', odd, "' | ''", ':*', '\\', '!(y):*']) {
    await engine.search(searchQuery(titles, text, { highlight: true, facets: { kind: 5 }, sort: 'kind' }))
  }
  const { hits } = await engine.search(searchQuery(titles, odd, { filters: { kind: odd } }))
  expect(hits.map(({ id }) => id)).toEqual(['1'])
})

test('a very long document, value and query are taken', async () => {
  const engine = await openPrepared(titles)
  const long = Array.from({ length: 50_000 }, (_, i) => `w${i}ord`).join(' ')
  const kind = 'k'.repeat(20_000)
  await store.transaction((tx) => engine.apply(tx, [{ id: '1', version: 1, document: { title: long, kind } }]))
  expect((await engine.search(searchQuery(titles, 'w9ord', {}))).total).toBe(1)
  expect((await engine.search(searchQuery(titles, long, {}))).total).toBe(1)
  expect((await engine.search(searchQuery(titles, '', { filters: { kind } }))).total).toBe(1)
  expect((await engine.search(searchQuery(titles, '', { filters: { kind: `${kind}k` } }))).total).toBe(0)
})

test('more than four weights are kept apart', async () => {
  const fields = ['a', 'b', 'c', 'd', 'e', 'f']
  const shape = indexShape({
    name: 'many',
    search: fields.map((field, i) => `${field}^${6 - i}`),
    filters: [],
    document: '',
  })
  const engine = await openPrepared(shape)
  const batch = [...fields]
    .reverse()
    .map((field, i) => ({ id: field, version: i + 1, document: { [field]: 'needle' } }))
  await store.transaction((tx) => engine.apply(tx, batch))
  const { hits } = await engine.search(searchQuery(shape, 'needle', {}))
  expect(hits.map(({ id }) => id)).toEqual(fields)
})
