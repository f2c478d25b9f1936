import { table } from '../../src/events/table.ts'
import { t } from '../../src/kernel/schema.ts'
import { index } from '../../src/search/index-definition.ts'

const films = table('films', { id: t.int(), title: t.string(), stock: t.int() }, { key: 'id' })

// The document is inferred, whether it is composed, computed later or left out.
export const catalog = index('catalog', {
  from: films,
  document: ({ id, stock, ...shown }) => ({ ...shown, inStock: stock > 0 }),
  search: ['title^3'],
  filters: ['inStock'],
})
export const sold = index('sold', {
  from: films,
  document: async ({ title, stock }) => (stock === 0 ? { title } : null),
  search: ['title'],
})
export const titles: Promise<string[]> = catalog.search('x').then(({ hits }) => hits.map(({ title }) => title))

// @ts-expect-error no such field in the document
index('a', { from: films, document: ({ title }) => ({ title }), search: ['titel^3'] })
// @ts-expect-error a column, but not in the document
index('a', { from: films, document: ({ title }) => ({ title }), search: ['title', 'stock'] })
// @ts-expect-error no such field to filter by
index('a', { from: films, document: ({ title }) => ({ title }), search: ['title'], filters: ['stock'] })
// @ts-expect-error no such column
index('a', { from: films, document: ({ titel }) => ({ titel }), search: ['titel'] })
// @ts-expect-error a hit has its own `score`
index('a', { from: films, document: ({ title }) => ({ title, score: 1 }), search: ['title'] })
