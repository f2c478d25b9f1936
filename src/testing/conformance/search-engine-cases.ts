import assert from 'node:assert/strict'
import { type IndexShape, indexShape } from '../../search/index-shape.ts'
import type { FencedDocument, IndexedDocument, SearchEngine } from '../../search/search-engine.ts'
import { searchQuery } from '../../search/search-options.ts'
import type { Transaction } from '../../store/store.ts'
import type { ConformanceCase } from './conformance-case.ts'

/** A way to open engines on one fresh storage; whoever made it closes what it opened. */
export interface SearchSubject {
  /** Opens an engine, not prepared yet. */
  open(shape: IndexShape): SearchEngine
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
}

const shape = indexShape({
  name: 'shop',
  search: ['title^3', 'maker'],
  filters: ['maker', 'price', 'tags'],
  document: 'v1',
})
const otherShape = indexShape({ name: 'shop', search: ['title'], filters: [], document: 'v2' })

const item = (title: string, more: object = {}): IndexedDocument => ({ title, maker: 'acme', price: 10, ...more })

class Shop {
  readonly #subject: SearchSubject
  readonly engine: SearchEngine

  private constructor(subject: SearchSubject, engine: SearchEngine) {
    this.#subject = subject
    this.engine = engine
  }

  static async open(subject: SearchSubject): Promise<Shop> {
    const engine = subject.open(shape)
    await subject.transaction((tx) => engine.prepare(tx))
    return new Shop(subject, engine)
  }

  write(id: string, version: number, document: IndexedDocument | null): Promise<void> {
    return this.writeAll([{ id, version, document }])
  }

  async writeAll(batch: readonly FencedDocument[]): Promise<void> {
    await this.#subject.transaction((tx) => this.engine.apply(tx, batch))
    await this.engine.refresh()
  }

  async truncate(version: number): Promise<void> {
    await this.#subject.transaction((tx) => this.engine.truncate(tx, version))
    await this.engine.refresh()
  }

  async ids(text: string, options: object = {}): Promise<string[]> {
    const { hits } = await this.engine.search(searchQuery(shape, text, options))
    return hits.map(({ id }) => id)
  }
}

interface ShopCase {
  name: string
  run(shop: Shop): Promise<void>
}

const fence: ShopCase[] = [
  {
    name: 'an older version changes nothing',
    async run(shop) {
      await shop.write('1', 20, item('lamp'))
      await shop.write('1', 10, item('chair'))
      assert.deepEqual(await shop.engine.get('1'), item('lamp'))
      assert.deepEqual(await shop.ids('chair'), [])
    },
  },
  {
    name: 'a newer version replaces an older one in every field',
    async run(shop) {
      await shop.write('1', 1, item('lamp', { tags: ['old'] }))
      await shop.write('1', 2, item('chair'))
      assert.deepEqual(await shop.engine.get('1'), item('chair'))
      assert.deepEqual(await shop.ids('lamp'), [])
      assert.deepEqual(await shop.ids('', { filters: { tags: 'old' } }), [])
    },
  },
  {
    name: 'of several versions of one id in a batch the highest stands',
    async run(shop) {
      await shop.writeAll([
        { id: '1', version: 3, document: item('third') },
        { id: '1', version: 1, document: item('first') },
        { id: '1', version: 2, document: null },
      ])
      assert.deepEqual(await shop.engine.get('1'), item('third'))
    },
  },
  {
    name: 'a late write does not bring a deleted document back',
    async run(shop) {
      await shop.write('1', 10, null)
      await shop.write('1', 9, item('lamp'))
      assert.equal(await shop.engine.get('1'), undefined)
      assert.deepEqual(await shop.ids('lamp'), [])
    },
  },
  {
    name: 'a document comes back with a version above its deletion',
    async run(shop) {
      await shop.write('1', 10, null)
      await shop.write('1', 11, item('lamp'))
      assert.deepEqual(await shop.ids('lamp'), ['1'])
    },
  },
  {
    name: 'a truncation hides what is at or below it, also what comes later',
    async run(shop) {
      await shop.write('1', 5, item('lamp'))
      await shop.write('2', 12, item('lamp'))
      await shop.truncate(10)
      await shop.write('3', 10, item('lamp'))
      assert.deepEqual(await shop.ids('lamp'), ['2'])
      assert.equal(await shop.engine.get('1'), undefined)
      assert.equal(await shop.engine.get('3'), undefined)
    },
  },
  {
    name: 'an older truncation does not undo a newer one',
    async run(shop) {
      await shop.truncate(10)
      await shop.truncate(5)
      await shop.write('1', 8, item('lamp'))
      assert.equal(await shop.engine.get('1'), undefined)
    },
  },
  {
    name: 'a purge forgets deletions up to its version and no document',
    async run(shop) {
      await shop.writeAll([
        { id: '1', version: 1, document: null },
        { id: '2', version: 2, document: item('lamp') },
        { id: '3', version: 3, document: null },
      ])
      assert.equal(await shop.engine.purge(2), 1)
      assert.deepEqual(await shop.ids('lamp'), ['2'])
      await shop.write('3', 2, item('lamp'))
      assert.equal(await shop.engine.get('3'), undefined)
    },
  },
]

const searches: ShopCase[] = [
  {
    name: 'every word must be met, whatever its case and accents',
    async run(shop) {
      await shop.write('1', 1, item('Café Crème'))
      await shop.write('2', 2, item('Café Noir'))
      assert.deepEqual(await shop.ids('CREME cafe'), ['1'])
    },
  },
  {
    name: 'a match in a field of more weight comes first',
    async run(shop) {
      await shop.write('1', 1, item('red lamp', { maker: 'orion' }))
      await shop.write('2', 2, item('orion lamp', { maker: 'red' }))
      assert.deepEqual(await shop.ids('orion'), ['2', '1'])
    },
  },
  {
    name: 'the last word may be unfinished, and a finished one comes first',
    async run(shop) {
      await shop.write('1', 1, item('lampshade'))
      await shop.write('2', 2, item('lamp'))
      assert.deepEqual(await shop.ids('lamp'), ['2', '1'])
      assert.deepEqual(await shop.ids('lam red'), [])
    },
  },
  {
    name: 'a mistyped word finds what was meant, and the answer says so',
    async run(shop) {
      await shop.write('1', 1, item('wooden drawer'))
      const answer = await shop.engine.search(searchQuery(shape, 'woodne drawer', {}))
      assert.deepEqual(
        answer.hits.map(({ id }) => id),
        ['1'],
      )
      assert.equal(answer.corrected, 'wooden drawer')
    },
  },
  {
    name: 'filters take one value, several, bounds and the lack of a value',
    async run(shop) {
      await shop.write('1', 1, item('lamp', { price: 5, tags: ['old', 'red'] }))
      await shop.write('2', 2, item('lamp', { price: 15 }))
      await shop.write('3', 3, item('lamp', { price: 25, maker: 'zeta' }))
      assert.deepEqual(await shop.ids('', { filters: { maker: 'zeta' } }), ['3'])
      assert.deepEqual(await shop.ids('lamp', { filters: { price: [5, 25] }, sort: 'price' }), ['1', '3'])
      assert.deepEqual(await shop.ids('lamp', { filters: { price: { gt: 5, lte: 25 } }, sort: '-price' }), ['3', '2'])
      assert.deepEqual(await shop.ids('lamp', { filters: { tags: 'red' } }), ['1'])
      assert.deepEqual(await shop.ids('lamp', { filters: { tags: null }, sort: 'price' }), ['2', '3'])
    },
  },
  {
    name: 'facets count the values of all matches, the most frequent first',
    async run(shop) {
      const makers = ['zeta', 'acme', 'zeta']
      await shop.writeAll(makers.map((maker, i) => ({ id: String(i), version: 1, document: item('lamp', { maker }) })))
      const { facets } = await shop.engine.search(searchQuery(shape, 'lamp', { facets: { maker: 5 }, limit: 1 }))
      assert.deepEqual(facets, {
        maker: [
          { value: 'zeta', count: 2 },
          { value: 'acme', count: 1 },
        ],
      })
    },
  },
  {
    name: 'sorting puts documents without a value last in both directions',
    async run(shop) {
      await shop.write('1', 1, { title: 'lamp', maker: 'acme' })
      await shop.write('2', 2, item('lamp', { price: 2 }))
      await shop.write('3', 3, item('lamp', { price: 10 }))
      assert.deepEqual(await shop.ids('lamp', { sort: 'price' }), ['2', '3', '1'])
      assert.deepEqual(await shop.ids('', { sort: '-price' }), ['3', '2', '1'])
    },
  },
  {
    name: 'pages cut one order without gap or overlap',
    async run(shop) {
      const ids = Array.from({ length: 130 }, (_, i) => String(i))
      await shop.writeAll(ids.map((id) => ({ id, version: 1, document: item(`lamp ${id}`) })))
      const seen: string[] = []
      for (let offset = 0; offset < 130; offset += 40) seen.push(...(await shop.ids('lamp', { limit: 40, offset })))
      assert.equal(seen.length, 130)
      assert.deepEqual(new Set(seen), new Set(ids))
    },
  },
  {
    name: 'highlights escape the text and mark what matched',
    async run(shop) {
      await shop.write('1', 1, item('<b>lamp</b> & chair'))
      const { hits } = await shop.engine.search(searchQuery(shape, 'lamp', { highlight: true }))
      assert.deepEqual(hits[0]?.highlights, { title: '&lt;b&gt;<mark>lamp</mark>&lt;/b&gt; &amp; chair' })
    },
  },
]

const storage: ConformanceCase<SearchSubject>[] = [
  {
    name: 'a new index is to be built, one that is there is not',
    async run(subject) {
      const first = subject.open(shape)
      assert.deepEqual(await subject.transaction((tx) => first.prepare(tx)), { rebuild: true })
      const second = subject.open(shape)
      assert.deepEqual(await subject.transaction((tx) => second.prepare(tx)), { rebuild: false })
    },
  },
  {
    name: 'another definition begins empty and with no truncation, and stops the older one',
    async run(subject) {
      const { engine: older } = await Shop.open(subject)
      await subject.transaction((tx) => older.apply(tx, [{ id: '1', version: 5, document: item('lamp') }]))
      await subject.transaction((tx) => older.truncate(tx, 7))
      const newer = subject.open(otherShape)
      assert.deepEqual(await subject.transaction((tx) => newer.prepare(tx)), { rebuild: true })
      await subject.transaction((tx) => newer.apply(tx, [{ id: '2', version: 1, document: item('lamp') }]))
      const { hits } = await newer.search(searchQuery(otherShape, 'lamp', {}))
      assert.deepEqual(
        hits.map(({ id }) => id),
        ['2'],
      )
      const stopped = { code: 'SEARCH_OUTDATED' }
      await assert.rejects(
        subject.transaction((tx) => older.apply(tx, [{ id: '1', version: 9, document: item('lamp') }])),
        stopped,
      )
      await assert.rejects(older.search(searchQuery(shape, 'lamp', {})), stopped)
      await assert.rejects(older.get('1'), stopped)
    },
  },
  {
    name: 'a preparation that is rolled back leaves the index as it was',
    async run(subject) {
      const shop = await Shop.open(subject)
      await shop.write('1', 1, item('lamp'))
      const newer = subject.open(otherShape)
      const failed = subject.transaction(async (tx) => {
        await newer.prepare(tx)
        throw new Error('the place in the log could not be moved')
      })
      await assert.rejects(failed, /could not be moved/)
      assert.deepEqual(await shop.ids('lamp'), ['1'])
    },
  },
]

/** What every `SearchEngine` does. */
export const searchEngineCases: readonly ConformanceCase<SearchSubject>[] = [
  ...[...fence, ...searches].map(({ name, run }) => ({
    name,
    run: async (subject: SearchSubject) => run(await Shop.open(subject)),
  })),
  ...storage,
]
