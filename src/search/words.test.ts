import { expect, test } from 'vitest'
import { fold, queryTerms, textsOf, tokens } from './words.ts'

const terms = (text: string): string[] => tokens(text).map(({ term, position }) => `${term}@${position}`)

test('words are folded: case, accents, ligatures and full-width forms do not matter', () => {
  expect(fold('Ærøskøbing')).toBe('aeroskobing')
  expect(fold('CAFÉ')).toBe('cafe')
  expect(fold('Straße')).toBe('strasse')
  expect(fold('ﬁlm Ｘ')).toBe('film x')
  expect(fold('Łódź')).toBe('lodz')
  // Composed and decomposed spellings are one.
  expect(fold('Amélie')).toBe(fold('Ame\u0301lie'))
  expect(fold('Ё')).toBe(fold('ё'))
})

test('a compound is found by its parts and as one word', () => {
  expect(terms('Spider-Man 2')).toEqual(['spider@0', 'man@1', 'spiderman@0', '2@2'])
  expect(terms('E.T. home')).toEqual(['e@0', 't@1', 'et@0', 'home@2'])
  expect(terms('M*A*S*H')).toContain('mash@0')
})

test('an apostrophe does not part a word, but what stands before it is found too', () => {
  expect(terms("Schindler's List")).toEqual(['schindlers@0', 'schindler@0', 'list@1'])
  expect(terms('Schindler\u2019s')).toEqual(['schindlers@0', 'schindler@0'])
  expect(terms("L'Amour")).toEqual(['lamour@0', 'amour@0'])
})

test('tokens say where they stand in the text', () => {
  const text = 'Ça: «L’été»'
  for (const { start, end } of tokens(text)) expect(text.slice(start, end)).toMatch(/^[\p{L}’]+$/u)
  expect(tokens(text).map(({ start, end }) => text.slice(start, end))).toEqual(['Ça', 'L’été', 'L’été'])
})

test('scripts without spaces are taken character by character, others by word', () => {
  expect(terms('七人の侍')).toEqual(['七@0', '人@1', 'の@2', '侍@3'])
  expect(queryTerms('七人', 10)).toEqual(['七', '人'])
  expect(terms('Братья Карамазовы')).toEqual(['братья@0', 'карамазовы@1'])
  expect(terms('नमस्ते दुनिया')).toHaveLength(2)
})

test('a query keeps its words in order, with compounds in parts, up to the limit', () => {
  expect(queryTerms("Schindler's  LIST!", 10)).toEqual(['schindlers', 'list'])
  expect(queryTerms('spider-man', 10)).toEqual(['spider', 'man'])
  expect(queryTerms('a b c d', 2)).toEqual(['a', 'b'])
  expect(queryTerms('?! … ', 10)).toEqual([])
})

test('what is searched finds the query that is the text itself', () => {
  for (const text of ["Ocean's Eleven", 'Spider-Man', 'E.T.', 'AT&T', '七人の侍', 'Rock ’n’ Roll', 'x'.repeat(200)]) {
    const indexed = new Set(tokens(text).map(({ term }) => term))
    for (const term of queryTerms(text, 20)) expect(indexed).toContain(term)
  }
})

test('texts come from lists and objects, and only from what reads as text', () => {
  expect(textsOf(['a', { b: 'c' }, 7, null, undefined, ''])).toEqual(['a', 'c', '7'])
  expect(textsOf(() => 'x')).toEqual([])
})
