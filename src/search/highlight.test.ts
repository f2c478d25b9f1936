import fc from 'fast-check'
import { expect, test } from 'vitest'
import { highlights } from './highlight.ts'
import { indexShape } from './index-shape.ts'
import { fieldTexts, type QueryWord } from './relevance.ts'

const shape = indexShape({ name: 'x', search: ['title', 'tags'], filters: [], document: '' })
const word = (term: string, prefix = false): QueryWord => ({
  text: term,
  unfinished: prefix,
  weight: 1,
  readings: [{ term, prefix, quality: 1 }],
})
const mark = (document: object, ...words: QueryWord[]): Record<string, string> =>
  highlights(words, fieldTexts(shape, { ...document }))

test('words are marked where they stand, whole, accents and all', () => {
  expect(mark({ title: 'Le Fabuleux Destin d’Amélie' }, word('amelie'))).toEqual({
    title: 'Le Fabuleux Destin <mark>d’Amélie</mark>',
  })
  expect(mark({ title: 'Star Wars' }, word('wa', true))).toEqual({ title: 'Star <mark>Wars</mark>' })
})

test('a compound and its parts are marked once', () => {
  expect(mark({ title: 'The Spider-Man' }, word('spider'), word('spiderman'), word('man'))).toEqual({
    title: 'The <mark>Spider-Man</mark>',
  })
})

test('fields without a match are left out, of several values those that matched are shown', () => {
  expect(mark({ title: 'lamp', tags: ['red', 'old lamp', 'lamp oil'] }, word('old'), word('oil'))).toEqual({
    tags: '<mark>old</mark> lamp, lamp <mark>oil</mark>',
  })
})

test('a long text is cut around its first match', () => {
  const title = `${'before '.repeat(100)}needle${' after'.repeat(100)}`
  const { title: shown = '' } = mark({ title }, word('needle'))
  expect(shown).toMatch(/^…(before )+<mark>needle<\/mark>( after)+…$/)
  expect(shown.length).toBeLessThan(300)
})

test('whatever the text, only the marks are HTML, and without them it is the text', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'b', ' ', '<', '>', '&', '"', "'", '-', '/', 'é'),
    maxLength: 60,
  })
  fc.assert(
    fc.property(text, (title) => {
      const { title: shown } = mark({ title }, word('a', true), word('b'))
      if (shown === undefined) return
      const bare = shown.replace(/<\/?mark>/g, '')
      expect(bare).not.toMatch(/[<>"']/)
      expect(unescaped(bare)).toBe(title)
    }),
  )
})

function unescaped(html: string): string {
  return html
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}
